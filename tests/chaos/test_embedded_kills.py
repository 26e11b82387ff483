"""The embedded PostgreSQL when processes are killed and disks are full."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.errors import Misconfigured
from support.embedded import StartUser, execute, kill_postmaster, postmaster_of, running, until

pytestmark = pytest.mark.chaos


async def test_a_killed_user_no_longer_counts(used_home: Path, start_user: StartUser) -> None:
    killed, living = await start_user(used_home), await start_user(used_home)
    await killed.kill()
    assert execute(living.url, "SELECT 1") == [1]
    await living.leave()
    assert not running(living.data_dir.parent)


async def test_the_server_of_a_killed_only_user_is_adopted_and_stopped_by_the_next(
    used_home: Path, start_user: StartUser
) -> None:
    killed = await start_user(used_home)
    execute(killed.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    left = postmaster_of(killed.data_dir)
    await killed.kill()
    async with EmbeddedPostgres(used_home) as server:
        assert postmaster_of(server.data_dir) == left
        assert execute(server.url, "SELECT answer FROM kept") == [42]
    assert not running(server.data_dir.parent)


async def test_a_killed_only_user_and_a_killed_server_lose_nothing(used_home: Path, start_user: StartUser) -> None:
    user = await start_user(used_home)
    execute(user.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill_postmaster(user.data_dir)
    await user.kill()
    async with EmbeddedPostgres(used_home) as server:
        assert execute(server.url, "SELECT answer FROM kept") == [42]


async def test_five_killed_servers_lose_no_acknowledged_row(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        execute(server.url, "CREATE TABLE rows (n int)")
        for n in range(5):
            execute(server.url, f"INSERT INTO rows VALUES ({n})")
            kill_postmaster(server.data_dir)
            await server.ensure()
        assert execute(server.url, "SELECT n FROM rows ORDER BY n") == [0, 1, 2, 3, 4]
    assert not running(server.data_dir.parent)


async def test_a_newcomer_brings_a_killed_server_back_for_everybody(used_home: Path, start_user: StartUser) -> None:
    user = await start_user(used_home)
    kill_postmaster(user.data_dir)
    async with EmbeddedPostgres(used_home):
        assert execute(user.url, "SELECT 1") == [1]
    assert execute(user.url, "SELECT 1") == [1]


async def test_of_many_that_bring_it_back_at_once_one_starts_it(used_home: Path, start_user: StartUser) -> None:
    users = [await start_user(used_home) for _ in range(3)]
    killed = postmaster_of(users[0].data_dir)
    kill_postmaster(users[0].data_dir)
    await asyncio.gather(*(user.ensure() for user in users))
    assert postmaster_of(users[0].data_dir) != killed
    assert execute(users[0].url, "SELECT 1") == [1]


async def test_a_server_killed_with_open_sessions_comes_back(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        session = psycopg.connect(server.url)
        kill_postmaster(server.data_dir)
        await server.ensure()
        assert execute(server.url, "SELECT 1") == [1]
        session.close()


async def test_a_killed_server_leaves_no_zombie(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        killed = postmaster_of(server.data_dir)
        kill_postmaster(server.data_dir)
        await until(lambda: not Path(f"/proc/{killed}").exists())


async def test_ensuring_a_living_server_does_not_restart_it(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        before = postmaster_of(server.data_dir)
        await server.ensure()
        assert postmaster_of(server.data_dir) == before


async def test_a_user_killed_inside_initdb_leaves_no_half_cluster(home: Path, start_user: StartUser) -> None:
    killed = await start_user(home, greeted=False)
    await until((home / "postgres" / "data.draft" / "postgresql.conf").exists)
    await killed.kill()
    assert not (home / "postgres" / "data").exists()
    async with EmbeddedPostgres(home) as server:
        assert execute(server.url, "SELECT 1") == [1]
    assert not (home / "postgres" / "data.draft").exists()


async def test_a_user_killed_between_start_and_bootstrap_is_made_up_for(home: Path, start_user: StartUser) -> None:
    killed = await start_user(home, greeted=False)
    await until((home / "postgres" / "data" / "postmaster.pid").exists)
    await killed.kill()
    async with EmbeddedPostgres(home) as server:
        assert "vector" in execute(server.url, "SELECT extname FROM pg_extension")


async def test_a_full_disk_loses_no_acknowledged_row(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(40_000_000))  # recovery begins new segments of the log, 16 MB each
    async with EmbeddedPostgres(small_disk) as server:
        execute(server.url, "CREATE TABLE rows (n int, filler text)")
        acknowledged = insert_until_refused(server.url)
        ballast.unlink()
        assert await kept(server) == acknowledged
        execute(server.url, "INSERT INTO rows VALUES (-1)")
    assert acknowledged > 1000


async def kept(server: EmbeddedPostgres) -> int:
    """The rows that are there once the server has got over its crash, which it may notice late."""
    async with asyncio.timeout(30):
        while True:
            with suppress(psycopg.OperationalError):
                await server.ensure()
                return int(execute(server.url, "SELECT count(*) FROM rows")[0])


def insert_until_refused(url: str) -> int:
    """Fill the disk; the number of rows that were acknowledged."""
    acknowledged = 0
    insert = "INSERT INTO rows SELECT n, repeat('x', 1000) FROM generate_series(1, 100) n"
    with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
        while True:
            connection.execute(insert)
            acknowledged += 100
    return acknowledged


async def test_a_shutdown_during_crash_recovery_does_not_hang(used_home: Path) -> None:
    server = EmbeddedPostgres(used_home)
    async with server:
        execute(server.url, "CREATE TABLE filler AS SELECT n, repeat('x', 500) FROM generate_series(1, 100000) n")
        kill_postmaster(server.data_dir)
    entering = asyncio.ensure_future(server.__aenter__())
    await until(lambda: "redo starts" in server.log_path.read_text())
    entering.cancel()
    async with asyncio.timeout(15):
        with suppress(asyncio.CancelledError):
            await entering
            await server.__aexit__(None, None, None)
    assert not running(server.data_dir.parent)


async def test_a_disk_too_small_for_a_database_is_named_and_left_clean(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(110_000_000))
    with pytest.raises(Misconfigured, match="free some space"):
        await EmbeddedPostgres(small_disk).__aenter__()
    assert not list((small_disk / "postgres").glob("data*"))
    ballast.unlink()
    async with EmbeddedPostgres(small_disk) as server:
        assert execute(server.url, "SELECT 1") == [1]
