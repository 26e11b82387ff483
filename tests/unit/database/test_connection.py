"""Sessions, their roles and tenants; a pool cannot be looked at without the PostgreSQL behind it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator
from uuid import uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from athenaeum.database.connection import (
    DatabaseConnection,
    PoolStatus,
    connect,
    get_session,
    init_db,
    libpq_url,
    retrying,
    transient,
)
from athenaeum.database.roles import APP, ENGINE
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.errors import Misconfigured

_WHO = text("SELECT current_user, nullif(current_setting('app.tenant', true), '')")
_ADD = text("INSERT INTO slack_users (tenant_id, user_id, name) VALUES (athenaeum_tenant(), :id, 'Ada')")
_COUNT = text("SELECT count(*) FROM slack_users")


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=1, max_overflow=1) as database:
        yield database


@pytest.fixture
def nowhere() -> str:
    """The address of a server that is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"postgresql://nobody@127.0.0.1:{free.getsockname()[1]}/nothing"


async def _people(database: DatabaseConnection) -> int:
    async with database.session(DEFAULT_TENANT) as session:
        return await session.scalar(_COUNT) or 0


async def test_a_session_without_a_tenant_is_the_engines(database: DatabaseConnection) -> None:
    async with database.session() as session:
        assert (await session.execute(_WHO)).one() == (ENGINE, None)


async def test_a_session_with_a_tenant_is_the_applications_and_names_it(database: DatabaseConnection) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        assert (await session.execute(_WHO)).one() == (APP, str(DEFAULT_TENANT))


async def test_a_tenant_ends_with_its_transaction(database: DatabaseConnection) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        first = await session.scalar(text("SELECT pg_backend_pid()"))

    async with database.session() as session:
        assert await session.scalar(text("SELECT pg_backend_pid()")) == first  # the same connection, pooled
        assert (await session.execute(_WHO)).one() == (ENGINE, None)


async def test_every_transaction_of_a_session_is_its_tenants(database: DatabaseConnection) -> None:
    other = TenantId(uuid4())
    async with database.session(other) as session:
        await session.execute(_COUNT)
        await session.commit()
        assert (await session.execute(_WHO)).one() == (APP, str(other))
        await session.rollback()
        assert (await session.execute(_WHO)).one() == (APP, str(other))


async def test_the_end_of_a_session_commits(database: DatabaseConnection) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await session.execute(_ADD, {"id": "U1"})

    assert await _people(database) == 1


async def test_an_error_in_a_session_rolls_back_and_comes_out(database: DatabaseConnection) -> None:
    async def add_and_fail() -> None:
        async with database.session(DEFAULT_TENANT) as session:
            await session.execute(_ADD, {"id": "U1"})
            raise LookupError

    with pytest.raises(LookupError):
        await add_and_fail()
    assert await _people(database) == 0


async def test_a_cancelled_session_rolls_back_and_gives_its_connection_back(database: DatabaseConnection) -> None:
    added = asyncio.Event()

    async def add() -> None:
        async with database.session(DEFAULT_TENANT) as session:
            await session.execute(_ADD, {"id": "U1"})
            added.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        adding = group.create_task(add())
        await added.wait()
        adding.cancel()

    assert database.get_pool_status().in_use == 0
    assert await _people(database) == 0


async def test_a_tenant_is_not_a_persons_to_forge(database: DatabaseConnection) -> None:
    async with database.session(TenantId("x', true), set_config('role', 'postgres")) as session:  # pyright: ignore[reportArgumentType] - on purpose
        with pytest.raises(DBAPIError, match="invalid input syntax for type uuid"):
            await session.execute(_COUNT)
        await session.rollback()


async def test_the_pools_status_counts_what_is_open_and_what_is_in_use(database: DatabaseConnection) -> None:
    before = database.get_pool_status()
    async with database.session() as session, database.session() as other:
        await session.execute(_WHO)
        await other.execute(_WHO)
        during = database.get_pool_status()

    assert [before, during] == [PoolStatus(open=0, in_use=0, limit=2), PoolStatus(open=2, in_use=2, limit=2)]
    assert database.get_pool_status().in_use == 0


async def test_closing_twice_is_harmless_and_leaves_nothing_open(database: DatabaseConnection) -> None:
    await _people(database)

    await database.close()
    await database.close()

    assert database.get_pool_status().open == 0


async def test_a_connection_that_the_server_ended_is_replaced(database: DatabaseConnection, database_url: str) -> None:
    async with database.session() as session:
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(database_url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    assert await _people(database) == 0


async def test_a_server_that_answers_is_healthy(database: DatabaseConnection) -> None:
    assert await database.health_check() is True


async def test_a_server_that_is_gone_is_not_healthy(nowhere: str) -> None:
    async with DatabaseConnection(nowhere) as database:
        assert await database.health_check() is False


async def test_a_server_that_hangs_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, and nobody answers
        port = silent.getsockname()[1]
        async with DatabaseConnection(f"postgresql://nobody@127.0.0.1:{port}/nothing") as database, asyncio.timeout(5):
            assert await database.health_check() is False


async def test_init_db_migrates_and_closes(empty_database_url: str) -> None:
    async with init_db(database_url=empty_database_url) as database:
        assert await _people(database) == 0

    assert database.get_pool_status().open == 0


async def test_create_tables_may_be_called_again(database: DatabaseConnection) -> None:
    await database.create_tables()

    assert await _people(database) == 0


async def test_get_session_is_a_session(database: DatabaseConnection) -> None:
    async with get_session(database, DEFAULT_TENANT) as session:
        assert (await session.execute(_WHO)).one() == (APP, str(DEFAULT_TENANT))


async def test_echo_shows_the_statements(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "sqlalchemy.engine"):
        async with DatabaseConnection(database_url, echo=True) as database:
            await _people(database)

    assert "SELECT count(*) FROM slack_users" in caplog.text


@pytest.mark.parametrize("address", ["", "not an address", "postgresql://host:port/name"])
def test_an_address_that_cannot_be_read_is_named_with_its_mend(address: str) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL cannot be read: give postgresql://"):
        DatabaseConnection(address)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
async def test_a_connection_of_ones_own_leaves_nothing_uncommitted(database_url: str, scheme: str) -> None:
    url = database_url.replace("postgresql://", f"{scheme}://")
    async with await connect(url) as connection:
        assert connection.autocommit is True
        assert connection.info.transaction_status is TransactionStatus.IDLE


async def test_nothing_that_is_set_for_a_session_is_left_on_its_connection(database_url: str) -> None:
    settled = text(
        "SELECT current_setting('role'), current_setting('idle_in_transaction_session_timeout'),"
        " nullif(current_setting('app.tenant', true), '')"
    )
    async with DatabaseConnection(database_url, pool_size=1, max_overflow=0) as database:
        async with database.session(DEFAULT_TENANT) as session:
            during = (await session.execute(settled)).one()
        async with database._engine.connect() as bare:
            after = (await bare.execute(settled)).one()

    assert during == (APP, "15s", str(DEFAULT_TENANT))
    assert (after[0], after[2]) == ("none", None)
    assert after[1] != "15s"


def test_libpq_is_given_an_address_without_the_driver() -> None:
    assert libpq_url("postgresql+psycopg://a@b/c") == "postgresql://a@b/c"


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.AdminShutdown(),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.DiskFull(),
        psycopg.InterfaceError(),
        ConnectionRefusedError(),
        TimeoutError(),
        OperationalError("", {}, psycopg.OperationalError()),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_transient(error: Exception) -> None:
    assert transient(error)


@pytest.mark.parametrize(
    "error",
    [psycopg.errors.UniqueViolation(), psycopg.errors.UndefinedTable(), ValueError()],
    ids=lambda error: type(error).__name__,
)
def test_what_will_not_pass_is_not_transient(error: Exception) -> None:
    assert not transient(error)


async def test_a_transient_error_is_tried_again_and_another_is_not() -> None:
    errors = iter([ConnectionResetError(), ValueError("no"), ConnectionResetError()])

    async def try_again() -> None:
        async for attempt in retrying():
            with attempt:
                raise next(errors)

    with pytest.raises(ValueError, match="no"):
        await try_again()
    assert len(list(errors)) == 1
