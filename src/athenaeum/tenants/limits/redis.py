"""The bucket in Redis: one script, Redis's clock, and the other bucket while Redis is away.

Needs the extra `athenaeum[redis]`; nothing else imports this module before it is wanted.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from athenaeum.observability.metrics import LIMIT_FALLBACKS
from athenaeum.tenants.limits.bucket import Rate, Rates, TokenBucket, TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, TenantId, TurnId, UserId

log = structlog.get_logger(__name__)

_PATIENCE = 0.25  # seconds; Slack waits three for all of it, and a script takes a quarter of a millisecond
_PAUSE = 5.0  # seconds in which Redis is not asked again after it gave no answer
_REMEMBERED = timedelta(minutes=10)
"""For how long a turn keeps its verdict: Slack repeats what was not acknowledged after 0, 1 and 5 minutes."""
_MICROSECOND = timedelta(microseconds=1)

# Times are whole microseconds, which Lua's doubles hold exactly. The last key is the turn's, the others are buckets:
# the question takes from all of them, or from none.
_TAKE = """
local verdict, buckets = KEYS[#KEYS], #KEYS - 1
local known = redis.call('GET', verdict)
if known then return tonumber(known) end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local full_at, wait = {}, 0
for i = 1, buckets do
    local interval, period = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local latest = now + period
    full_at[i] = math.max(now, math.min(tonumber(redis.call('GET', KEYS[i]) or now), latest))
    if wait == 0 then wait = math.max(0, full_at[i] + interval - latest) end
end
for i = 1, buckets do
    if wait == 0 then full_at[i] = full_at[i] + tonumber(ARGV[2 * i - 1]) end
    local left = math.max(1, math.ceil((full_at[i] - now) / 1000))
    redis.call('SET', KEYS[i], string.format('%.0f', full_at[i]), 'PX', left)
end
redis.call('SET', verdict, string.format('%.0f', wait), 'PX', ARGV[#ARGV])
return wait
"""


class RedisBucket:
    """An async context manager that may be closed twice; `otherwise` decides while Redis gives no answer."""

    def __init__(
        self, url: str, rates: Rates, *, otherwise: TokenBucket, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`url` is a `redis://`, `rediss://` or `unix://` address; nothing is opened yet."""
        self._redis = Redis.from_url(
            url,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 1),  # for a connection that idled across a restart; the turn's key makes it safe
            decode_responses=True,
        )
        self._script = self._redis.register_script(_TAKE)
        self._otherwise = otherwise
        self._rates = rates
        self._clock = clock
        self._asked_again_at = 0.0
        self._away = False

    async def __aenter__(self) -> Self:
        """Return itself; connections open on first use."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._redis.aclose()

    async def take(
        self, session: AsyncSession, tenant: TenantId, channel: ChannelId, user: UserId, *, turn: TurnId
    ) -> None:
        """As `TokenBucket.take` says. A full bucket is no key at all, and so is every bucket of a Redis that forgot."""
        wait = await self._ask(tenant, {channel: self._rates.channel, user: self._rates.user}, turn)
        if wait is None:
            LIMIT_FALLBACKS.inc()
            await self._otherwise.take(session, tenant, channel, user, turn=turn)
        elif wait:
            raise TooManyRequests(wait)

    async def answers(self) -> bool:
        """Whether Redis gives an answer now."""
        try:
            await self._redis.ping()
        except (RedisError, OSError):
            return False
        return True

    async def _ask(self, tenant: TenantId, rates: dict[str, Rate | None], turn: TurnId) -> timedelta | None:
        if self._clock() < self._asked_again_at:
            return None
        wanted = {subject: rate for subject, rate in rates.items() if rate is not None}
        prefix = f"athenaeum:{{{tenant}}}"  # braces: in a cluster all keys of a tenant are on one node
        keys = [*(f"{prefix}:limit:{subject}" for subject in wanted), f"{prefix}:asked:{turn}"]
        times = [time // _MICROSECOND for rate in wanted.values() for time in (rate.interval, rate.period)]
        try:
            microseconds = await self._script(keys=keys, args=[*times, _REMEMBERED // timedelta(milliseconds=1)])
        except (RedisError, OSError) as error:
            self._asked_again_at = self._clock() + _PAUSE
            if not self._away:
                log.warning("limits.redis_away", error=type(error).__name__, instead="PostgreSQL")
            self._away = True
            return None
        if self._away:
            log.info("limits.redis_back")
        self._away = False
        return int(microseconds) * _MICROSECOND
