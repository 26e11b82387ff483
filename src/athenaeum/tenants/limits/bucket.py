"""What a token bucket is, whoever keeps it.

Kept is one time only, the one at which the bucket would be full again: the Generic Cell Rate Algorithm (ITU-T I.371,
annex A), which lets through exactly what a bucket that is refilled continuously does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, Self

from athenaeum.errors import RetryLater

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, TenantId, TurnId, UserId

SENTENCE = "I'm receiving too many requests right now. Please try again in a moment."


class TooManyRequests(RetryLater):
    """The bucket is empty; `after` is when it has a token again."""

    def __init__(self, after: timedelta) -> None:
        """Say it to the operator in seconds, and to the person in one sentence."""
        seconds = after.total_seconds()
        super().__init__(
            f"too many requests in this channel or of this person: again in {seconds:.1f} s",
            after=after,
            user_text=SENTENCE,
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket of `burst` tokens, of which one comes back in each `interval`."""

    burst: int
    interval: timedelta

    @classmethod
    def per_minute(cls, count: int) -> Self:
        """So many at once, and so many again a minute later."""
        return cls(count, timedelta(minutes=1) / count)

    @property
    def period(self) -> timedelta:
        """From empty to full."""
        return self.interval * self.burst


@dataclass(frozen=True, slots=True)
class Rates:
    """How much each channel may ask, and each person in all channels together; None is no limit."""

    channel: Rate | None
    user: Rate | None = None


class TokenBucket(Protocol):
    """One bucket for each channel, and one for each person, of each tenant: a question takes from both or neither."""

    async def take(
        self, session: AsyncSession, tenant: TenantId, channel: ChannelId, user: UserId, *, turn: TurnId
    ) -> None:
        """Take a token for a turn that is new, within the transaction of `session`, which is the tenant's.

        When that is rolled back and the turn comes again, it costs no second token.

        Raises:
            TooManyRequests: There is none.
        """
        ...
