"""An answer as the messages that show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from athenaeum.domain.secret import mask
from athenaeum.slack.formatting.blocks import Blocks
from athenaeum.slack.formatting.characters import size
from athenaeum.slack.formatting.citations import context, plain_sources, sources
from athenaeum.slack.formatting.links import LinkPolicy
from athenaeum.slack.formatting.parsing import parse
from athenaeum.slack.formatting.plain import plain
from athenaeum.slack.formatting.splitting import CUT, parts
from athenaeum.slack.formatting.tables import with_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from athenaeum.domain.turn import Answer

MAX_MARKDOWN = 11_500
"""A markdown block takes 12,000 characters."""
MAX_BLOCKS_TEXT = 13_000
"""Over all blocks of a message some 13,200 were seen to be taken, whatever the blocks."""
MAX_TEXT = 3_500
"""chat.update takes 4,000 characters of text."""
_UNCUT = 10_000_000
"""Characters; more than any model writes."""
_NOTHING = "I have nothing to say to this."


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message: `blocks` show it, `text` is read in notifications, `plain` is all of it without blocks."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]
    plain: str
    otherwise: Rendered | None = None
    """The same with its table in Markdown, where `blocks` have one of Slack's: it is not taken everywhere."""

    def below(self, listed: str, plainly: str) -> Rendered:
        """The same with its sources below it."""
        otherwise = self.otherwise and self.otherwise.below(listed, plainly)
        return Rendered(self.text, (*self.blocks, context(listed)), f"{self.plain}\n\n{plainly}", otherwise)


def render(answer: Answer, *, allowed_hosts: Collection[str] = ()) -> list[Rendered]:
    """One to five messages, the sources below the last; the same answer always gives the same messages."""
    listed = sources(answer.citations)
    messages = [_message(text) for text in _texts(answer, allowed_hosts)]
    if listed:
        messages[-1] = messages[-1].below(listed, plain_sources(answer.citations))
    return messages


def render_whole(answer: Answer, *, allowed_hosts: Collection[str] = ()) -> str | None:
    """An answer that `render` has to cut, whole and with its sources, in Markdown; None where it is not cut."""
    if not _texts(answer, allowed_hosts)[-1].endswith(CUT):
        return None
    writer = Blocks(LinkPolicy.of(answer.citations, allowed_hosts), limit=_UNCUT)
    pieces = [piece for node in parse(mask(answer.text)) for piece in writer.pieces(node)]
    return "\n\n".join([*pieces, plain_sources(answer.citations)]).strip() + "\n"


def _texts(answer: Answer, allowed_hosts: Collection[str]) -> list[str]:
    room = min(MAX_MARKDOWN, MAX_BLOCKS_TEXT - size(sources(answer.citations))) - size(CUT) - 2
    writer = Blocks(LinkPolicy.of(answer.citations, allowed_hosts), limit=room)
    return parts((piece for node in parse(mask(answer.text)) for piece in writer.pieces(node)), room) or [_NOTHING]


def _message(markdown: str) -> Rendered:
    text = plain(markdown)
    shown, blocks = _cut(text), with_table(markdown)
    whole = Rendered(shown, ({"type": "markdown", "text": markdown},), text)
    return whole if blocks == whole.blocks else Rendered(shown, blocks, text, otherwise=whole)


def _cut(text: str) -> str:
    """As much as an update takes, cut between words and never within an entity."""
    if size(text) <= MAX_TEXT:
        return text
    kept = text[: MAX_TEXT // 2] if size(text) > len(text) else text[: MAX_TEXT - 1]
    head, space, _ = kept.rpartition(" ")
    return f"{head if space else kept.rpartition('&')[0] or kept}…"
