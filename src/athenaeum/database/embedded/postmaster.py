"""The server's process: whether it answers, starting it, and stopping it."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psycopg
import structlog

from athenaeum.database.embedded import cluster
from athenaeum.database.embedded.binaries import ENVIRONMENT, Binaries
from athenaeum.database.embedded.deadline import Deadline
from athenaeum.database.embedded.fault import mend
from athenaeum.database.embedded.lock import FileLock
from athenaeum.database.embedded.place import Premises
from athenaeum.errors import Misconfigured

log = structlog.get_logger(__name__)

_SLOW = 2.0  # seconds; a start without crash recovery takes a twentieth of that
_GRACE = 20.0  # seconds for the last checkpoint of a fast shutdown
_LOG_LIMIT = 10_000_000  # bytes


def answers(place: Premises) -> bool:
    """Whether our own server accepts a session; that its process id exists would prove nothing.

    Raises:
        Misconfigured: It runs and refuses us for a reason that waiting does not mend.
    """
    if not place.socket.exists():
        return False
    try:
        with cluster.connect(place) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError as error:
        reason = _fatal(str(error))
        if reason and "too many clients" not in reason:
            raise Misconfigured(f"the database refuses connections ({reason}): {_told(place, reason)}") from error
        return reason is not None
    return row is not None and Path(row[0]) == place.data


def start(place: Premises, binaries: Binaries, deadline: Deadline) -> None:
    """Start the server, or wait for one that is starting, recovering or ending. The caller has the boot lock.

    Raises:
        Misconfigured: The server ended; the message has its reason.
        TimeoutError: It did not answer in time.
    """
    lock = FileLock(place.server_lock, place.owner)
    try:
        while not lock.seize():  # some process of an earlier server lives
            if answers(place):
                return
            _pause(place, deadline)
        written = place.log.stat().st_size if place.log.exists() else 0
        process = _spawn(place, binaries, lock)
    finally:
        lock.close()
    # reaped as soon as it ends: otherwise a killed server would be a zombie for as long as we live
    threading.Thread(target=process.wait, name="postgres-reaper", daemon=True).start()
    while not answers(place):
        if process.returncode is not None:
            raise Misconfigured(_why_not(place, written))
        _pause(place, deadline)
    log.info("embedded.started", place=str(place.root), pid=process.pid, seconds=round(deadline.elapsed, 3))


def stop(place: Premises, deadline: Deadline) -> None:
    """Shut down and wait for the end. The caller has the boot lock.

    A fast shutdown ends sessions and writes data. Asked for during crash recovery it hangs PostgreSQL 18.6 for
    ever, so a server that does not answer is shut down at once; it loses nothing but the recovery it has to repeat.

    Raises:
        TimeoutError: The server did not end in time.
    """
    lock = FileLock(place.server_lock, place.owner)
    told = False
    try:
        while not lock.seize():
            if (not told or deadline.passes(_GRACE)) and (pid := _listener(place.socket)):
                with suppress(ProcessLookupError):  # it ends by itself just now
                    os.kill(pid, signal.SIGINT if not told and _runs(place) else signal.SIGQUIT)
                told = True
            deadline.pause()
    finally:
        lock.close()
    if told:
        with suppress(OSError):
            place.socket_dir.rmdir()
        log.info("embedded.stopped", place=str(place.root))


def _runs(place: Premises) -> bool:
    try:
        return answers(place)
    except Misconfigured:  # it refuses us, but it runs
        return True


def _spawn(place: Premises, binaries: Binaries, lock: FileLock) -> subprocess.Popen[bytes]:
    place.make_socket_dir()
    _refuse_stranger(place)
    for stale in (place.data / "postmaster.pid", place.socket.with_name(f"{place.socket.name}.lock")):
        _adopt(stale)
    if place.log.exists() and place.log.stat().st_size > _LOG_LIMIT:
        place.log.replace(place.log.with_suffix(".log.1"))
    options = {
        "listen_addresses": "",
        "port": str(cluster.PORT),
        "unix_socket_directories": str(place.socket_dir),
        "unix_socket_permissions": "0700",
        "shared_preload_libraries": "pg_stat_statements" if "pg_stat_statements" in binaries.extensions else "",
    }
    with place.log.open("ab") as output:
        place.log.chmod(0o600)
        place.owner.give(place.log)
        return subprocess.Popen(
            [
                binaries.program("postgres"),
                "-D",
                place.data,
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # the terminal's Ctrl-C is for us, not for a server that others use
            pass_fds=(lock.fileno(),),
            **place.owner.credentials,
        )


def _refuse_stranger(place: Premises) -> None:
    """Leave alone a server that somebody started by hand on our data, with a socket of its own."""
    try:
        pid, _, _, port, directory, *_ = (place.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ValueError):
        return
    if directory and str(_listener(Path(directory) / f".s.PGSQL.{port}")) == pid:
        raise Misconfigured(f"process {pid} is a PostgreSQL started by hand on {place.data}: stop it first")


def _adopt(pid_file: Path) -> None:
    """Make a dead server's pid file harmless; the free server lock says that it is dead.

    Its process id may be another process's by now, and PostgreSQL would refuse to start. It takes an id that is
    its own parent's for stale. Deleting the file would also skip PostgreSQL's second check, by shared memory,
    which protects the data from a server that somebody started by hand.
    """
    try:
        _, *rest = pid_file.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return
    except ValueError:  # empty: its writer was killed
        pid_file.unlink()
        return
    pid_file.write_text("".join([f"{os.getpid()}\n", *rest]), encoding="utf-8")


def _listener(path: Path) -> int | None:
    """The process that listens on a socket, as the kernel knows it; None when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        try:
            client.connect(os.fspath(path))
        except OSError:
            return None
        if sys.platform == "darwin":
            return client.getsockopt(0, 2) or None  # SOL_LOCAL, LOCAL_PEERPID
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return struct.unpack("3i", credentials)[0] or None  # 0: it lives in another container


def _pause(place: Premises, deadline: Deadline) -> None:
    deadline.pause()
    if deadline.passes(_SLOW):
        log.warning("embedded.start_slow", place=str(place.root), hint="crash recovery", log=str(place.log))


def _why_not(place: Premises, offset: int) -> str:
    written = cluster.server_log(place, offset).strip() or "it wrote nothing"
    reason = _fatal(written) or written.splitlines()[-1]
    return f"the database did not start ({reason}): {_told(place, reason)}"


def _fatal(text: str) -> str | None:
    """The last reason in a message or log; "the database system is starting up" and its like only ask to wait."""
    reasons = re.findall(r"(?:FATAL|PANIC): ++(?!the database system is)(.+)", text)
    return reasons[-1] if reasons else None


def _told(place: Premises, reason: str) -> str:
    if "password authentication" in reason:
        return f"bring {place.superuser_password} back from a backup"
    return mend(reason, otherwise=f"{place.log} says more, or set DATABASE_URL to a server elsewhere")
