"""How many questions may be asked: a token bucket for each channel and each person of each tenant.

bucket      the rates, what every bucket does, and the error of one that is empty
postgres    one SQL statement in the transaction of the question
redis       one script in Redis, where there is one; the other while it is away
"""

from __future__ import annotations

from athenaeum.tenants.limits.bucket import Rate, Rates, TokenBucket, TooManyRequests
from athenaeum.tenants.limits.postgres import PostgresBucket

__all__ = ["PostgresBucket", "Rate", "Rates", "TokenBucket", "TooManyRequests"]
