"""An answer as the column `turns.answer` holds it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from athenaeum.database.jsonb import storable
from athenaeum.domain.turn import Answer, Citation, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON values; characters that `jsonb` cannot hold (NUL, lone surrogates) are dropped."""
    return storable(asdict(answer))


def from_json(stored: Mapping[str, Any]) -> Answer:
    """The answer that `to_json` wrote."""
    return Answer(
        text=stored["text"],
        citations=tuple(Citation(**citation) for citation in stored["citations"]),
        model=stored["model"],
        usage=Usage(**stored["usage"]),
    )
