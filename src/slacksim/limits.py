"""Slack's rate limits: calls a minute by tier, and one message a second in each channel."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from slacksim.errors import SlackError

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
WINDOW_SECONDS = 60.0
MAX_HISTORY_PAGE = 1000
POSTS_PER_MINUTE = 300  # "several hundred a minute" in the whole workspace
POST_BURST, POST_WINDOW_SECONDS = 5, 5.0  # one a second in a channel, short bursts allowed


class Limits:
    """Counts calls in sliding windows; does nothing until switched on.

    Args:
        clock: Seconds, growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.enabled = False
        self.overrides: dict[str, int] = {}
        self.history_page = MAX_HISTORY_PAGE
        self._clock = clock
        self._calls: dict[str, deque[float]] = {}

    def configure(
        self, *, enabled: bool, overrides: dict[str, int] | None = None, history_page: int = MAX_HISTORY_PAGE
    ) -> None:
        """Switches the limits.

        Args:
            enabled: Whether calls are counted.
            overrides: Calls a minute for single methods.
            history_page: The most messages that a call of history or replies returns; 15 for apps that are
                distributed outside of Slack's marketplace.
        """
        self.enabled, self.overrides, self.history_page = enabled, overrides or {}, history_page
        self._calls.clear()

    def check(self, method: str, tier: int, channel: str) -> None:
        """Counts a call, or raises ratelimited with the seconds to wait."""
        if not self.enabled:
            return
        if method in self.overrides:
            self._count(method, self.overrides[method], WINDOW_SECONDS)
        elif method == "chat.postMessage":
            self._count(f"{method}:{channel}", POST_BURST, POST_WINDOW_SECONDS)
            self._count(method, POSTS_PER_MINUTE, WINDOW_SECONDS)
        else:
            self._count(method, PER_MINUTE[tier], WINDOW_SECONDS)

    def _count(self, key: str, allowed: int, window: float) -> None:
        now = self._clock()
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= allowed:
            raise rate_limited(math.ceil(calls[0] + window - now) if calls else math.ceil(window))
        calls.append(now)


def rate_limited(seconds: int) -> SlackError:
    return SlackError("ratelimited", status=429, headers={"Retry-After": str(max(1, seconds))})
