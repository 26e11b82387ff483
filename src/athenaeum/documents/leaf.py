"""What a source consists of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leaf:
    """One document of a source, not read yet."""

    path: str
    """Its name within the source; for a page of a site its address."""
    media: str
    """Its media type, which decides how it is read."""
    stamp: str | None
    """While this is the same the document is; None when only its content can tell."""
    url: str | None
    """Where people open it."""
    load: Callable[[], Awaitable[bytes]]
    """Gives its content; raises Unreadable."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that could not be read, and why. What was known of it stays, unless it is gone."""

    path: str
    reason: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A leaf or what came in its place, and how many there are as far as is known by now."""

    leaf: Leaf | Skipped
    total: int
