"""PgBouncer in transaction mode stands between the product and PostgreSQL: slower to wake, and otherwise the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from time import monotonic
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from athenaeum.config import Config
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.link import Link
from athenaeum.database.migrate import migrate, pending
from athenaeum.database.roles import APP, ENGINE
from athenaeum.diagnostics import Verdict, examine
from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.events import queue
from athenaeum.worker.pool import WorkerPool
from support.bouncer import PgBouncer
from support.events import MINUTE, Queue, until
from support.product import at_work, workspace

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

_WHO = text("SELECT current_user, nullif(current_setting('app.tenant', true), '')")
_ADD = text("INSERT INTO slack_users (tenant_id, user_id, name) VALUES (athenaeum_tenant(), :id, 'Ada')")
_LEFT = """
    SELECT current_setting('role'), nullif(current_setting('app.tenant', true), ''),
           current_setting('synchronous_commit'), current_setting('idle_in_transaction_session_timeout') = '15s',
           (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
"""
_NOTHING = ("none", None, "on", False, 0, 0, 0)


@pytest.fixture
async def narrow(database_url: str) -> AsyncGenerator[PgBouncer]:
    """All that anybody does goes over one connection to the server."""
    async with PgBouncer(database_url, size=1) as bouncer:
        yield bouncer


async def _left(bouncer: PgBouncer) -> tuple[object, ...] | None:
    """What the next client finds on the only server connection."""
    async with await psycopg.AsyncConnection.connect(bouncer.url, autocommit=True) as stranger:
        return await (await stranger.execute(_LEFT)).fetchone()


async def test_questions_are_answered_once_and_soon(database_url: str, tmp_path: Path) -> None:
    async with PgBouncer(database_url, size=2) as bouncer, workspace() as sim:
        async with at_work(sim, bouncer.url, tmp_path) as product:
            began = monotonic()
            asked = [product.ask("maya", "platform"), product.ask("tom", "platform"), product.ask("ines", "finance")]
            answers = [await product.answer(message) for message in asked]
            assert monotonic() - began < 15
            assert await product.turn_states() == ["delivered"] * 3
        assert len(answers) == 3
        assert (await _left(bouncer)) == _NOTHING


async def test_roles_and_tenants_stay_with_their_transactions(narrow: PgBouncer) -> None:
    tenants = [TenantId(uuid4()) for _ in range(4)]
    async with DatabaseConnection(narrow.url) as database:

        async def work(tenant: TenantId | None) -> None:
            expected = (ENGINE, None) if tenant is None else (APP, str(tenant))
            for _ in range(20):
                async with database.session(tenant) as session:
                    assert (await session.execute(_WHO)).one() == expected
                    await session.commit()
                    assert (await session.execute(_WHO)).one() == expected

        async with asyncio.TaskGroup() as group:
            for tenant in [*tenants, None]:
                group.create_task(work(tenant))
    assert await _left(narrow) == _NOTHING


async def test_a_tenant_sees_its_own_rows_after_anybody_else(narrow: PgBouncer) -> None:
    other = TenantId(uuid4())
    count = text("SELECT count(*) FROM slack_users")
    async with DatabaseConnection(narrow.url) as database:
        async with database.session(DEFAULT_TENANT) as session:
            await session.execute(_ADD, {"id": "U1"})
        seen: list[int | None] = []
        for tenant in (DEFAULT_TENANT, other, DEFAULT_TENANT):
            async with database.session() as session:
                await session.execute(_WHO)
            async with database.session(tenant) as session:
                seen.append(await session.scalar(count))
    assert seen == [1, 0, 1]


async def test_many_links_share_a_connection_without_leaving_anything_on_it(narrow: PgBouncer) -> None:
    async with DatabaseConnection(narrow.url) as database, Queue(database) as events:
        numbers = [await events.put(n) for n in range(30)]

        async def work(name: str) -> list[Event]:
            claimed: list[Event] = []
            async with Link(database) as link:
                while events := await queue.claim(link, name, limit=2, lease=MINUTE):
                    await queue.extend(link, events, lease=MINUTE)
                    await queue.complete(link, events)
                    claimed += events
            return claimed

        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(work(f"worker {n}")) for n in range(3)]
        assert sorted(event.id for worker in workers for event in worker.result()) == sorted(numbers)
        assert (await events.stats())["completed"] == 30
    assert await _left(narrow) == _NOTHING


async def test_work_is_found_soon_without_announcements_and_the_log_says_so_once(narrow: PgBouncer) -> None:
    done = asyncio.Event()

    async def handle(_: Event) -> None:
        done.set()

    with capture_logs() as lines:
        async with (
            DatabaseConnection(narrow.url) as database,
            Queue(database) as events,
            WorkerPool(2, database, handle),
        ):
            for _ in range(3):
                done.clear()
                await events.put()
                async with asyncio.timeout(3):  # the slow poll alone would take up to six
                    await done.wait()
    assert [line["event"] for line in lines].count("subscriptions.deaf") == 1
    assert await _left(narrow) == _NOTHING


async def test_a_migration_goes_through(empty_database_url: str) -> None:
    async with PgBouncer(empty_database_url, size=1) as bouncer:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):  # processes that start together
                group.create_task(migrate(bouncer.url))
        assert await pending(bouncer.url) == []
        assert await _left(bouncer) == _NOTHING


async def test_doctor_names_the_pooler_and_the_mend(narrow: PgBouncer, tmp_path: Path) -> None:
    config = Config(home=tmp_path, database_url=narrow.url, embedder="none", model="offline")
    findings = {finding.subject: finding for finding in await examine(config)}
    assert findings["pooler"].status is Verdict.WARNING
    assert "DATABASE_URL" in str(findings["pooler"].mend)
    assert findings["database"].status is Verdict.OK


async def test_a_restarted_pooler_is_got_over(database_url: str) -> None:
    bouncer = PgBouncer(database_url)
    done: list[int] = []

    async def handle(event: Event) -> None:
        done.append(int(event.payload["n"]))

    async with (
        DatabaseConnection(database_url) as direct,
        Queue(direct) as events,
        bouncer,
        DatabaseConnection(bouncer.url) as database,
        WorkerPool(2, database, handle),
    ):
        for n in range(3):
            await bouncer.restart()
            await events.put(n)
            await until(lambda n=n: len(done) > n)
    assert done == [0, 1, 2]
