"""Whether the database can be reached and is what Athenaeum needs; then what is in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from athenaeum.database.connection import connect
from athenaeum.database.revisions import MINIMUM_SERVER
from athenaeum.diagnostics import clock, histories, queue, schema
from athenaeum.diagnostics.finding import Finding, fault, ok, warning
from athenaeum.errors import Misconfigured
from athenaeum.wiring.database import locate_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from athenaeum.config import Config

SUBJECT = "database"
_PATIENCE = timedelta(seconds=5)
_POOLED = warning(
    "pooler",
    "a pooler such as PgBouncer stands between: workers look for work twice a second instead of being told of it",
    "give DATABASE_URL the address of PostgreSQL itself",
)
_SEPARATOR = re.compile(r"; |(?<=\)): ")  # between what is wrong and the mend, which a finding tells apart
_LOOK = """
    SELECT current_setting('server_version'), current_setting('server_version_num')::integer,
           (SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name = 'vector'),
           to_regclass('alembic_version') IS NOT NULL, clock_timestamp()"""


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself; `vector` is pgvector's version, None where it is not installed."""

    where: str
    version: str
    number: int
    vector: str | None


async def look(config: Config, compare: Callable[[str, datetime], None]) -> list[Finding]:
    """Reach the database, starting the embedded one if need be; `compare` is told its clock."""
    embedded = config.database_url is None
    mend = "set ATHENAEUM_HOME or DATABASE_URL" if embedded else "start PostgreSQL there, or mend or unset DATABASE_URL"
    try:
        async with locate_database(config) as url:
            return await _look_inside(url, f"embedded in {config.home_dir}" if embedded else "DATABASE_URL", compare)
    except Misconfigured as error:
        return [fault(SUBJECT, _SEPARATOR.split(str(error))[0], mend)]
    except (psycopg.Error, OSError) as error:
        return [fault(SUBJECT, f"the connection was lost: {error}", mend)]


def judge(server: Server) -> Finding:
    """Whether the server will do."""
    if server.number < MINIMUM_SERVER:
        return fault(SUBJECT, f"PostgreSQL {server.version} is too old", "use 16 or newer, or unset DATABASE_URL")
    if server.vector is None:
        package = f"postgresql-{server.number // 10000}-pgvector"
        return fault(SUBJECT, "PostgreSQL lacks pgvector", f"install the package {package} on the database's host")
    return ok(SUBJECT, f"PostgreSQL {server.version} with pgvector {server.vector}, {server.where}")


async def _look_inside(url: str, where: str, compare: Callable[[str, datetime], None]) -> list[Finding]:
    async with await connect(url, patience=_PATIENCE) as connection:
        row = await (await connection.execute(_LOOK)).fetchone()
        pooled = connection.pooled
    assert row is not None
    version, number, vector, begun, now = row
    compare(clock.DATABASE, now)
    return [
        judge(Server(where, version.split()[0], number, vector)),
        *([_POOLED] if pooled else []),
        await schema.look(url, begun=begun),
        await queue.look(url, begun=begun),
        *await histories.look(url, begun=begun),
    ]
