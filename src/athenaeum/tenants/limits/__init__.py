"""How many questions a channel may ask: a token bucket for each channel of each tenant.

bucket      the rate, what every bucket does, and the error of one that is empty
postgres    one SQL statement in the transaction of the question
redis       one script in Redis, where there is one; the other while it is away
"""

from __future__ import annotations

from athenaeum.tenants.limits.bucket import Rate, TokenBucket, TooManyRequests
from athenaeum.tenants.limits.postgres import PostgresBucket

__all__ = ["PostgresBucket", "Rate", "TokenBucket", "TooManyRequests"]
