"""What was spent, by whom, where, when and on what."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import text

from athenaeum.domain.spending import By

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Spent:
    """One line: what requests came to, in US dollars."""

    of: str
    """An id, a date or a model, as the report is `by`."""
    name: str | None
    """What a person or channel is called, where we know."""
    dollars: Decimal
    requests: int
    unsettled: int
    """Requests that are under way or whose end was never heard of; they count with their estimate."""
    unpriced: int
    """Requests whose price nobody knows; they count nothing."""
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int


_COLUMNS = {
    By.USER: ("user_id", "SELECT coalesce(nullif(real_name, ''), name) FROM slack_users WHERE user_id = s.of"),
    By.CHANNEL: ("channel_id", "SELECT name FROM slack_channels WHERE channel_id = s.of"),
    By.DAY: ("day::text", "NULL"),
    By.MODEL: ("model", "NULL"),
}
_REPORT = """
    SELECT of, ({name}) AS name, dollars, requests, unsettled, unpriced, input_tokens, cache_read_tokens,
        cache_write_tokens, output_tokens
    FROM (
        SELECT {column} AS of, coalesce(sum(dollars), 0) AS dollars, count(*) AS requests,
            count(*) FILTER (WHERE settled_at IS NULL) AS unsettled,
            count(*) FILTER (WHERE dollars IS NULL) AS unpriced,
            sum(input_tokens)::bigint AS input_tokens, sum(cache_read_tokens)::bigint AS cache_read_tokens,
            sum(cache_write_tokens)::bigint AS cache_write_tokens, sum(output_tokens)::bigint AS output_tokens
        FROM spending
        WHERE day > (now() AT TIME ZONE 'UTC')::date - CAST(:days AS integer)
        GROUP BY 1
    ) AS s
    ORDER BY {order}"""


async def spent(session: AsyncSession, *, by: By, days: int = 1) -> list[Spent]:
    """What the session's tenant spent today and on the `days` - 1 days of UTC before, the most expensive first.

    Days themselves come the latest first.
    """
    column, name = _COLUMNS[by]
    order = "of DESC" if by is By.DAY else "dollars DESC, of"
    rows = await session.execute(text(_REPORT.format(column=column, name=name, order=order)), {"days": days})
    return [Spent(*row) for row in rows]
