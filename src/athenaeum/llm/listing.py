"""A digest without a language model: what was said, in its order, shortened."""

from __future__ import annotations

from collections.abc import Sequence

from athenaeum.domain.passage import Passage
from athenaeum.llm import quoting

_SHOWN = 10
_LIMIT = 160  # characters of one message
_LEAD = "I am running without a language model, so I list instead of summing up."


def list_passages(found: Sequence[Passage]) -> str:
    """The longest of the passages, which say most, in their order."""
    if not found:
        return f"{_LEAD} Nothing was said that everyone here may read."
    longest = sorted(range(len(found)), key=lambda place: -len(found[place].text))[:_SHOWN]
    shown = [found[place] for place in sorted(longest)]
    count = f" These are {len(shown)} of {len(found)} messages." if len(shown) < len(found) else ""
    return "\n".join([f"{_LEAD}{count}", "", *map(_line, shown)])


def _line(passage: Passage) -> str:
    words = " ".join(quoting.cut(passage.text, _LIMIT).split())
    return f"- {passage.author or 'Somebody'}: {words} [{passage.label}]"
