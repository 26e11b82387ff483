"""The limit on questions, where the configuration wants it kept."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from athenaeum.errors import Misconfigured
from athenaeum.tenants.limits import PostgresBucket, Rate, Rates
from athenaeum.wiring import probes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from athenaeum.config import Config
    from athenaeum.observability.health import Probe
    from athenaeum.tenants.limits import TokenBucket
    from athenaeum.tenants.limits.redis import RedisBucket


@asynccontextmanager
async def open_limit(
    config: Config, looks: dict[str, Callable[[], Awaitable[Probe]]]
) -> AsyncGenerator[TokenBucket | None]:
    """The bucket, in Redis where one is configured, which then is among the `looks` at health; None without a limit.

    Raises:
        Misconfigured: Redis is configured, and its client is not installed.
    """
    held = rates(config)
    if held.channel is held.user is None:
        yield None
        return
    bucket = PostgresBucket(held)
    if config.redis_url is None:
        yield bucket
        return
    async with redis_bucket(config.redis_url.get_secret_value(), held, otherwise=bucket) as shared:
        looks["redis"] = probes.redis(shared)
        yield shared


def rates(config: Config) -> Rates:
    """What channels and people are held to."""
    return Rates(*(Rate.per_minute(count) if count else None for count in (config.rate_limit, config.user_rate_limit)))


def redis_bucket(url: str, rates: Rates, *, otherwise: TokenBucket) -> RedisBucket:
    """A bucket in Redis; nothing is opened.

    Raises:
        Misconfigured: Redis's client is not installed, or the address cannot be read.
    """
    try:
        from athenaeum.tenants.limits.redis import RedisBucket  # noqa: PLC0415 - an extra that not everybody installs
    except ImportError as error:
        raise Misconfigured("REDIS_URL is set, and the client is missing: pip install 'athenaeum[redis]'") from error
    try:
        return RedisBucket(url, rates, otherwise=otherwise)
    except ValueError as error:
        raise Misconfigured("REDIS_URL cannot be read: give redis://host:6379/0, or unset it") from error
