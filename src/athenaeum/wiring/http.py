"""One HTTP port for a process, served beside its other work."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import uvicorn

from athenaeum.errors import Misconfigured
from athenaeum.wiring.background import beside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from fastapi import FastAPI

_GRACE = 3  # seconds for open requests when the process ends


class _Server(uvicorn.Server):
    """Leaves signals to the process: uvicorn would end it before its workers have handed on their work."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def serve_http(app: FastAPI, *, host: str, port: int) -> AsyncGenerator[str]:
    """Serve until the block ends; gives the address that was taken.

    Raises:
        Misconfigured: the port is taken.
    """
    listening = _listen(host, port)
    taken = listening.getsockname()[1]
    settings = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=_GRACE)
    server = _Server(settings)
    async with beside(_until_cancelled(server, listening)):
        yield f"http://{host}:{taken}"


async def _until_cancelled(server: _Server, listening: socket.socket) -> None:
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise Misconfigured(
            f"cannot listen on {host}:{port} ({error.strerror}): set ATHENAEUM_PORT to a free port, or 0 for any"
        ) from error
