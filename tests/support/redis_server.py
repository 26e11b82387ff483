"""A Redis for tests: a real server on a free port of this machine, one per test process, that keeps nothing on disk."""

from __future__ import annotations

import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Self

import pytest
from redis import Redis
from redis.exceptions import RedisError


class RedisServer:
    """A context manager; the server can be ended in between and started again, empty, on the same port."""

    def __init__(self, program: str, home: Path) -> None:
        self._program = program
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        self._databases = itertools.count(1)
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._home)]
        options += ["--databases", "10000"]
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended"
            assert time.monotonic() < deadline, "redis-server did not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill it, with all that it held."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def new_database(self) -> str:
        """The address of a database that nobody else has."""
        return f"{self.url.rpartition('/')[0]}/{next(self._databases)}"

    def client(self) -> Redis:
        """A client, to be used as a context manager."""
        return Redis.from_url(self.url, decode_responses=True)

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Generator[RedisServer]:
    """The test process's server."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    with RedisServer(program, tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(running_redis: RedisServer) -> RedisServer:
    """The server, running and empty."""
    running_redis.start()
    with running_redis.client() as client:
        client.flushall()
    return running_redis
