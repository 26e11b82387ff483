"""What a message shows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from athenaeum.domain.passage import LABELS
from athenaeum.slack.formatting import paragraph, stop_button

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from athenaeum.domain.identity import TurnId
    from athenaeum.slack.errors import ContentRefused
    from athenaeum.slack.formatting import Rendered

_LABELS = re.compile(rf"\s?\[{LABELS}\]")
"""Passages' labels, which become numbers only when the answer is complete."""
MAX_UPDATE_TEXT = 3_800
"""chat.update takes 4,000 characters of text, chat.postMessage 40,000; some are left for escapes."""


@dataclass(frozen=True, slots=True)
class Content:
    """Blocks, and the text for notifications; `plain` stands in when Slack refuses the blocks."""

    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()
    plain: str = ""
    otherwise: Content | None = None
    """What is shown where Slack refuses these blocks, before the plain text is."""
    file: str | None = None
    """The id of what was uploaded, when the message is to bring that, under the text as its title."""
    stream_to: str | None = None
    """The asker's workspace, when the message is to grow by Slack's own streaming; the text is its first task then."""

    @classmethod
    def of(cls, rendered: Rendered) -> Content:
        """A rendered part with a new id for each block: Slack shows an update only under new ones."""
        blocks = tuple({**block, "block_id": uuid4().hex} for block in rendered.blocks)
        otherwise = rendered.otherwise and cls.of(rendered.otherwise)
        return cls(rendered.text, blocks, rendered.plain, otherwise)

    def stoppable(self, turn: TurnId) -> Content:
        """The same with a button that stops the turn."""
        shown = Content(self.text, self.blocks or (paragraph(self.text),), self.plain or self.text)
        return shown.above([stop_button(turn)])

    def above(self, footer: Sequence[Mapping[str, Any]], *, otherwise: Content | None = None) -> Content:
        """The same with blocks below it; where Slack refuses them, `otherwise`, or else what it was to be before."""
        below = tuple({**block, "block_id": uuid4().hex} for block in footer)
        otherwise = otherwise or (self.otherwise and self.otherwise.above(footer))
        return Content(self.text, (*self.blocks, *below), self.plain, otherwise)

    def streamed(self, team: str) -> Content:
        """The same as the beginning of a stream."""
        return replace(self, stream_to=team)

    def plainer(self, refused: ContentRefused) -> Content:
        """What is shown where Slack refuses this; raises `refused` when nothing is plainer."""
        if self.otherwise is None and not self.blocks:
            raise refused
        return self.otherwise or self.without_blocks()

    def without_blocks(self) -> Content:
        """The same as plain text."""
        return Content(self.plain or self.text)


def unlabelled(text: str) -> str:
    """What a model has written so far, as far as it is for readers."""
    return _LABELS.sub("", text)


PLACEHOLDER = Content("Thinking…")
TOMBSTONE = Content("This answer was removed: its question was deleted.")
