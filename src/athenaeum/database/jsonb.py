"""Values as PostgreSQL's `jsonb` can hold them."""

from __future__ import annotations

from typing import Any


def storable(value: Any) -> Any:
    """A JSON value without the characters that `jsonb` refuses: NUL and lone surrogates."""
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.replace("\0", "").encode("utf-8", "ignore").decode()
    if isinstance(value, dict):
        return {name: storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    return value
