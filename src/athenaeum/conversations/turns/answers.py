"""An answer as the column `turns.answer` holds it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from athenaeum.domain.turn import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANSWER = TypeAdapter(Answer)


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON values; characters that `jsonb` cannot hold (NUL, lone surrogates) are dropped."""
    return storable(asdict(answer))


def from_json(stored: Mapping[str, Any]) -> Answer:
    """The answer that `to_json` wrote."""
    return _ANSWER.validate_python(dict(stored))


def storable(value: Any) -> Any:
    """A JSON value without the characters that `jsonb` cannot hold."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode()
    if isinstance(value, dict):
        return {name: storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    return value
