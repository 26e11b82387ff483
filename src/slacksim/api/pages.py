"""Cursor pagination: a cursor is the opaque key of the next page's first item."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from slacksim.api.call import Arguments
from slacksim.errors import SlackError, explained

T = TypeVar("T")
MAX_LIMIT = 1000


def encoded(key: str) -> str:
    return base64.b64encode(f"next:{key}".encode()).decode()


def decoded(cursor: str) -> str:
    try:
        text = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SlackError("invalid_cursor") from None
    if not text.startswith("next:"):
        raise SlackError("invalid_cursor")
    return text.removeprefix("next:")


def page(
    items: Sequence[T], arguments: Arguments, *, key: Callable[[T], str], default: int = 100
) -> tuple[list[T], str]:
    """The items of the page that the call asks for, and the cursor of the next one (empty at the end)."""
    limit = arguments.number("limit", default)
    if not 0 <= limit <= MAX_LIMIT:
        raise explained("invalid_limit", f"must be between 1 and {MAX_LIMIT}: limit")
    start = 0
    if cursor := arguments.text("cursor"):
        wanted = decoded(cursor)
        start = next((index for index, item in enumerate(items) if key(item) == wanted), -1)
        if start < 0:
            raise SlackError("invalid_cursor")
    end = start + (limit or default)
    return list(items[start:end]), encoded(key(items[end])) if end < len(items) else ""
