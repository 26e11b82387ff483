"""A RabbitMQ for tests: a real node as a plain process on this machine, under a home of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one on the path insists on a user and its folders
_SECONDS = 90
_USER = "guest"  # and its password, from this machine alone


@pytest.fixture
def rabbitmq_url(tmp_path: Path) -> Generator[str]:
    """The address of a node that this test alone uses."""
    if not _PROGRAM.exists() or shutil.which("epmd") is None:
        pytest.skip("rabbitmq-server is not installed (apt-get install rabbitmq-server)")
    port, distribution, names = _free_ports(3)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",  # it may be ended while it still knows of the node
        "RABBITMQ_NODENAME": "tests@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(tmp_path / "rabbitmq"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(tmp_path / "rabbitmq.pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(tmp_path / "rabbitmq.plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(tmp_path / "rabbitmq.env"),
    }
    log = tmp_path / "rabbitmq.log"
    with (
        log.open("wb") as out,
        subprocess.Popen([_PROGRAM], env=environment, stdout=out, stderr=out, start_new_session=True) as node,
    ):
        try:
            deadline = time.monotonic() + _SECONDS
            while b"Server startup complete" not in log.read_bytes():
                assert node.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield f"amqp://{_USER}:{_USER}@127.0.0.1:{port}//"
        finally:
            os.killpg(node.pid, signal.SIGKILL)
            node.wait()
            # The daemon of names outlives its nodes; this one is ours, by its port.
            subprocess.run(["epmd", "-kill"], env=environment, stdout=out, stderr=out, check=False)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports
