"""The cluster: made whole or not at all, and what is in it from the first day."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import LiteralString

import psycopg
import structlog
from psycopg import sql

from athenaeum.database.embedded.binaries import ENVIRONMENT, Binaries
from athenaeum.database.embedded.deadline import Deadline
from athenaeum.database.embedded.fault import mend
from athenaeum.database.embedded.lock import FileLock
from athenaeum.database.embedded.place import Premises
from athenaeum.errors import Misconfigured

log = structlog.get_logger(__name__)

PORT = 5432  # only part of the socket's name
DATABASE = ROLE = "athenaeum"
_SUPERUSER = "postgres"
_EXTENSIONS: tuple[LiteralString, ...] = ("vector", "pg_trgm", "pg_stat_statements")
# defaults a person may change in postgresql.conf; what must hold is given on the command line
_SETTINGS = {
    "max_connections": "200",
    "idle_in_transaction_session_timeout": "60s",
    "log_min_messages": "warning",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def version(place: Premises) -> int | None:
    """The major version that wrote the cluster, or None when there is no cluster."""
    try:
        return int((place.data / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def create(place: Premises, binaries: Binaries, boot: FileLock) -> None:
    """Make an empty cluster beside its final name and move it there, so that a crash leaves no half of one.

    initdb inherits the boot lock: should we be killed, nobody begins anew before it has ended.

    Raises:
        Misconfigured: initdb failed; the message has its last line.
    """
    draft = place.data.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    _write_secret(place, place.superuser_password, secrets.token_urlsafe(24))
    made = subprocess.run(
        [binaries.program("initdb"), *_initdb_options(binaries, draft, place.superuser_password)],
        cwd="/",
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,
        pass_fds=(boot.fileno(),),
        **place.owner.credentials,
    )
    if made.returncode:
        shutil.rmtree(draft, ignore_errors=True)
        reason = next((line for line in reversed(made.stderr.splitlines()) if "error" in line.lower()), made.stderr)
        raise Misconfigured(f"could not create a database in {place.root} ({reason.strip()}): {mend(reason)}")
    place.password.unlink(missing_ok=True)
    draft.rename(place.data)
    log.info("embedded.created", place=str(place.root), version=binaries.major)


def _initdb_options(binaries: Binaries, data: Path, password_file: Path) -> list[str]:
    # the builtin provider sorts the same after every upgrade of the C library, which libc does not
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return [
        f"--pgdata={data}",
        f"--username={_SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        *(builtin if binaries.major >= 17 else ["--locale=C.UTF-8"]),
        *(f"--set={name}={value}" for name, value in _SETTINGS.items()),
    ]


def connect(place: Premises, *, database: str = _SUPERUSER) -> psycopg.Connection:
    """Connect as the superuser, whatever the environment's PG variables say."""
    return psycopg.connect(
        host=str(place.socket_dir),
        port=PORT,
        user=_SUPERUSER,
        password=_read_secret(place.superuser_password),
        dbname=database,
        options="",
        connect_timeout=2,
        autocommit=True,
    )


def url(place: Premises, *, superuser: bool = False) -> str:
    """The libpq URL of the database; the socket's directory is plain, so it needs no quoting.

    The port is in it because a PGPORT in the environment would win over the default.
    """
    role, file = (_SUPERUSER, place.superuser_password) if superuser else (ROLE, place.password)
    return f"postgresql://{role}:{_read_secret(file)}@/{DATABASE}?host={place.socket_dir}&port={PORT}"


def bootstrap(place: Premises, binaries: Binaries) -> None:
    """Add our role, database and extensions to a running server; begun before, it is completed.

    Raises:
        Misconfigured: The processor cannot run the packaged pgvector.
    """
    if place.password.exists():
        return
    password = secrets.token_urlsafe(24)
    with connect(place) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(ROLE)))
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN CREATEROLE PASSWORD {}").format(sql.Identifier(ROLE), password))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            names = sql.Identifier(DATABASE), sql.Identifier(ROLE)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    with connect(place, database=DATABASE) as connection:
        for extension in _EXTENSIONS:
            if extension in binaries.extensions:
                _add_extension(connection, extension, place)
    _write_secret(place, place.password, password)


def _add_extension(connection: psycopg.Connection, name: LiteralString, place: Premises) -> None:
    try:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))
    except psycopg.OperationalError as error:
        # packaged pgvector is built for x86-64-v3 and dies of SIGILL below it
        if not connection.broken or "signal 4" not in _obituary(place):
            raise
        raise Misconfigured(
            f"this processor cannot run the packaged extension {name} (illegal instruction): "
            "set DATABASE_URL to a PostgreSQL with pgvector on another machine"
        ) from error


def _obituary(place: Premises) -> str:
    """The server's log, once it says how a session died: the client knows first."""
    deadline = Deadline(timedelta(seconds=5))
    with suppress(TimeoutError):
        while "was terminated by" not in server_log(place):
            deadline.pause()
    return server_log(place)


def server_log(place: Premises, offset: int = 0) -> str:
    """What the server wrote to its log from an offset in bytes on; at most its last 64 KB."""
    with place.log.open("rb") as file:
        file.seek(max(offset, place.log.stat().st_size - 65_536))
        return file.read().decode(errors="replace")


def _write_secret(place: Premises, path: Path, secret: str) -> None:
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    place.owner.give(draft)
    draft.rename(path)


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise Misconfigured(f"{path} is missing: bring it back from a backup of the directory") from None
