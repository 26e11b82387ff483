"""Messages as a hypertable, on a real TimescaleDB; skipped where there is none."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from athenaeum.conversations.export import import_export
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.migrate import migrate
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.tenants import register
from support.slack_events import Store
from support.slack_export import lantern

URL = os.environ.get("ATHENAEUM_TEST_TIMESCALE_URL", "")
pytestmark = [
    pytest.mark.timescaledb,
    pytest.mark.skipif(not URL, reason="ATHENAEUM_TEST_TIMESCALE_URL is not set"),
]


@pytest.fixture
def timescale_url() -> Generator[str]:
    """An empty database with the extension."""
    name = f"test_{secrets.token_hex(6)}"
    url = urlsplit(URL)._replace(path=f"/{name}").geturl()
    with psycopg.connect(URL, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(url, autocommit=True) as inside:
            inside.execute("CREATE EXTENSION timescaledb")
            inside.execute("CREATE EXTENSION vector")
        yield url
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def archived(url: str, export: Path) -> list[tuple[object, ...]]:
    async with DatabaseConnection(url, pool_size=2) as database:
        for _ in range(2):
            await import_export(database, await register.get(database, DEFAULT_TENANT), export)
        store = Store(database, DEFAULT_TENANT)
        return await store.rows("SELECT (to_jsonb(m) - 'tenant_id')::text FROM slack_messages AS m ORDER BY 1")


async def test_messages_are_a_hypertable_of_seven_days(timescale_url: str) -> None:
    await migrate(timescale_url)
    with psycopg.connect(timescale_url) as connection:
        row = connection.execute(
            "SELECT column_name, time_interval = '7 days' FROM timescaledb_information.dimensions"
            " WHERE hypertable_name = 'slack_messages'"
        ).fetchone()
        isolated = connection.execute(
            "SELECT relrowsecurity FROM pg_class WHERE oid = 'slack_messages'::regclass"
        ).fetchone()

    assert (row, isolated) == (("sent_at", True), (True,))


async def test_the_rows_are_those_of_a_plain_table_to_the_microsecond(
    timescale_url: str, database_url: str, tmp_path: Path
) -> None:
    await migrate(timescale_url)
    export = lantern().zip(tmp_path / "export.zip")

    assert await archived(timescale_url, export) == await archived(database_url, export)
