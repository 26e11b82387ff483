"""What a message shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.slack.formatting import Rendered

MAX_UPDATE_TEXT = 3_800
"""chat.update takes 4,000 characters of text, chat.postMessage 40,000; some are left for escapes."""


@dataclass(frozen=True, slots=True)
class Content:
    """Blocks, and the text for notifications; `plain` stands in when Slack refuses the blocks."""

    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()
    plain: str = ""

    @classmethod
    def of(cls, rendered: Rendered) -> Content:
        """A rendered part with a new id for each block: Slack shows an update only under new ones."""
        blocks = tuple({**block, "block_id": uuid4().hex} for block in rendered.blocks)
        return cls(rendered.text, blocks, rendered.plain)

    def without_blocks(self) -> Content:
        """The same as plain text."""
        return Content(self.plain or self.text)


PLACEHOLDER = Content("Thinking…")
