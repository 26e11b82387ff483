"""Whether Redis and Celery's broker answer, where they are configured."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from athenaeum.config import EngineName
from athenaeum.diagnostics.finding import Finding, fault, ok, warning
from athenaeum.errors import Misconfigured
from athenaeum.tenants.limits import PostgresBucket, Rate, Rates
from athenaeum.wiring.broker import BrokerAway, celery_app, greet
from athenaeum.wiring.limit import redis_bucket

if TYPE_CHECKING:
    from athenaeum.config import Config

_REDIS, _BROKER = "redis", "broker"
_INSTALL = "pip install 'athenaeum[celery]'"


async def look(config: Config) -> list[Finding]:
    """A finding for each of the two that is wanted; none where neither is."""
    findings: list[Finding] = []
    if config.redis_url is not None and (config.rate_limit or config.user_rate_limit):
        findings.append(await _redis(config.redis_url.get_secret_value()))
    if config.engine is EngineName.CELERY:
        findings.append(await _broker(config))
    return findings


async def _redis(url: str) -> Finding:
    rates = Rates(Rate.per_minute(1))
    try:
        async with redis_bucket(url, rates, otherwise=PostgresBucket(rates)) as bucket:
            started = time.perf_counter()
            if await bucket.answers():
                return ok(_REDIS, f"answers in {(time.perf_counter() - started) * 1000:.0f} ms")
    except Misconfigured as error:
        return fault(_REDIS, str(error), "pip install 'athenaeum[redis]', or mend or unset REDIS_URL")
    told = "does not answer; the limit on questions is kept in PostgreSQL meanwhile"
    return warning(_REDIS, told, "start Redis, or mend or unset REDIS_URL")


async def _broker(config: Config) -> Finding:
    try:
        app = celery_app(config)
        started = time.perf_counter()
        await asyncio.to_thread(greet, app)
    except Misconfigured as error:
        return fault(_BROKER, str(error), f"{_INSTALL}, and set CELERY_BROKER_URL or REDIS_URL")
    except BrokerAway as error:
        told = f"does not answer ({error}); events wait in PostgreSQL until it does"
        return fault(_BROKER, told, "start it, mend CELERY_BROKER_URL or REDIS_URL, or unset ATHENAEUM_ENGINE")
    return ok(_BROKER, f"answers in {(time.perf_counter() - started) * 1000:.0f} ms")
