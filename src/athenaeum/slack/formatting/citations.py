"""The list of sources below an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from athenaeum.domain.secret import mask
from athenaeum.slack.formatting.characters import entities, size
from athenaeum.slack.formatting.links import LinkPolicy, is_web

if TYPE_CHECKING:
    from collections.abc import Sequence

    from athenaeum.domain.turn import Citation

MAX_SOURCES = 3_000
"""Characters of the whole list; a text object takes as many."""
_TITLE = 80
_QUOTES = (140, 70, 0)
_LONGEST_URL = 800
_NO_LINKS = LinkPolicy(frozenset(), frozenset(), frozenset())


def sources(citations: Sequence[Citation]) -> str:
    """Sources in Slack's own format, one a line: number, title linked to its place, the words quoted."""
    shown = ""
    for quote in _QUOTES:
        shown = "\n".join(_line(citation, quote) for citation in citations)
        if size(shown) <= MAX_SOURCES:
            return shown
    lines = shown.split("\n")
    while size("\n".join(lines)) > MAX_SOURCES - 40:
        lines.pop()
    return "\n".join([*lines, f"… and {len(citations) - len(lines)} more"])


def plain_sources(citations: Sequence[Citation]) -> str:
    """Sources for where there are no blocks."""
    lines = [f"[{source.number}] {_title(source)}{_plain_address(source)}" for source in citations]
    return "\n".join(["Sources:", *lines]) if lines else ""


def context(text: str) -> dict[str, Any]:
    """A context block; verbatim, so that Slack makes no links of what we did not."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _line(citation: Citation, quote: int) -> str:
    title = _title(citation).replace("|", "/")
    if (address := citation.url) and _opens(address):
        title = f"<{_address(address)}|{title}>"
    words = _shortened(_flat(citation.quote), quote)
    return f"[{citation.number}] {title}" + (f" — “{words}”" if words else "")


def _title(citation: Citation) -> str:
    return _shortened(_flat(citation.title), _TITLE) or "source"


def _plain_address(citation: Citation) -> str:
    return f" {_address(citation.url)}" if citation.url and _opens(citation.url) else ""


def _opens(url: str) -> bool:
    return is_web(url) and size(url) <= _LONGEST_URL and not any(c.isspace() for c in url)


def _address(url: str) -> str:
    return entities(url).replace("|", "%7C")


def _flat(text: str) -> str:
    return " ".join(_NO_LINKS.tame(mask(text)).split())


def _shortened(text: str, length: int) -> str:
    """At most `length` characters, cut between words."""
    if len(text) > length:
        text = text[: max(0, length - 1)].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…" if length else ""
    return entities(text)
