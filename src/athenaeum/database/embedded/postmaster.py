"""The server's process: whether it answers, starting it, and stopping it."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import structlog

from athenaeum.database.embedded import cluster
from athenaeum.database.embedded.binaries import ENVIRONMENT, Binaries
from athenaeum.database.embedded.deadline import Deadline
from athenaeum.database.embedded.lock import FileLock
from athenaeum.database.embedded.place import Place
from athenaeum.errors import Misconfigured

log = structlog.get_logger(__name__)

_SLOW = 2.0  # seconds; a start without crash recovery takes a fortieth of that
_LOG_LIMIT = 10_000_000  # bytes


def answers(place: Place) -> bool:
    """Whether our own server accepts a session: a process id proves nothing, it may be reused or a zombie's.

    Raises:
        Misconfigured: The superuser's password is not the cluster's.
    """
    try:
        with cluster.connect(place) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise Misconfigured(
                f"{place.superuser_password} is not this cluster's: bring it back from a backup of {place.root}"
            ) from error
        return False
    return row is not None and Path(row[0]) == place.data


def start(place: Place, binaries: Binaries, deadline: Deadline) -> None:
    """Start the server, or wait for one that is starting, recovering or ending; the caller has the boot lock.

    Raises:
        Misconfigured: It ended, with its reason, or it did not answer in time.
    """
    lock = FileLock(place.server_lock, place.owner)
    try:
        _await(place, deadline, lambda: lock.seize())
        if answers(place):
            return
        process = _spawn(place, binaries, lock)
    finally:
        lock.close()
    # reaped as it ends, or a killed server would stay a zombie for as long as we live
    threading.Thread(target=process.wait, name="postgres-reaper", daemon=True).start()
