"""The product's processes within milliseconds: one process imports the product once, and forks.

Run as a program, it reads one JSON object a line (`{"role": "worker", "environment": {...}, "arguments": [],
"directory": path, "in": path, "out": path, "log": path}`), forks such a process with those settings, and prints its
id. Beside the log of what it wrote to standard error, `.status` has how it ended. It ends when its input closes.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Self

Role = Literal["athenaeum", "worker", "gateway", "pool", "notes"]
_ENTRANCES: Mapping[Role, tuple[str, str]] = {
    "athenaeum": ("athenaeum.cli", "main"),
    "worker": ("athenaeum.commands.serving", "worker"),
    "gateway": ("athenaeum.commands.serving", "gateway"),
    "pool": ("event_worker", "run"),
    "notes": ("note_worker", "run"),
}
"""Where each kind of process begins: the command line, two of its commands, and two that are the tests' own."""
_SLOW = (
    "alembic.command",
    "athenaeum.wiring.process",
    "athenaeum.worker.celery.consumer",
    "pydantic_ai.models.anthropic",
    "pydantic_ai.providers.anthropic",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    *(module for module, _ in _ENTRANCES.values()),
)
"""What takes long to import, and every fork then has."""

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Forked:
    """One running process, held by a descriptor: its id can't come to name another one."""

    pid: int
    fd: int
    log: Path

    def send(self, number: signal.Signals) -> None:
        """Signal it, unless it has gone."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.fd, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    @property
    def status(self) -> int | None:
        """Its exit status, once it has ended by itself; None when it was killed."""
        written = _status(self.log)
        return int(written.read_text()) if written.exists() else None

    @property
    def running(self) -> bool:
        look = select.poll()  # select() ends at descriptor 1,023, which an hour of storms passes
        look.register(self.fd, select.POLLIN)
        return not look.poll(0)

    async def ended(self) -> None:
        """Wait until it has gone."""
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        loop.add_reader(self.fd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self.fd)


class Zygote:
    """The forking process, from the side of a test; it kills what it forked when it is left."""

    def __init__(self) -> None:
        self._forked: list[Forked] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_: object) -> None:
        for forked in self._forked:
            forked.kill()
            os.close(forked.fd)
        with self._process:
            pass  # closes its input, and waits

    def fork(
        self,
        role: Role,
        environment: Mapping[str, str],
        *,
        log: Path,
        out: Path | None = None,
        stdin: Path | None = None,
        arguments: Sequence[str] = (),
        directory: Path | None = None,
    ) -> Forked:
        """Start a process with these settings and no others.

        What it says goes to `log`, or what it says to standard output to `out`; what it is told comes from `stdin`.
        It works in `directory`, or in its ATHENAEUM_HOME.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "role": role,
            "environment": dict(environment),
            "arguments": list(arguments),
            "directory": str(directory or environment["ATHENAEUM_HOME"]),
            "in": str(stdin or os.devnull),
            "out": str(out or log),
            "log": str(log),
        }
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        forked = Forked(pid, os.pidfd_open(pid), log)
        self._forked.append(forked)
        return forked


def _serve() -> None:
    gc.disable()
    for module in _SLOW:
        import_module(module)
    models = import_module("athenaeum.llm.models")
    models.build_model("anthropic:any", models.ModelKeys(anthropic_api_key="any"))  # loads what every worker needs
    gc.freeze()  # forks share what they don't look through
    gc.enable()
    for line in sys.stdin:
        _bury()
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        print(pid, flush=True)


def _become(order: dict[str, Any]) -> None:
    from athenaeum.config import Config  # noqa: PLC0415 - in the zygote alone

    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)  # a run that is killed leaves nobody behind
    given = os.open(order["in"], os.O_RDONLY)
    out, log = (os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("out", "log"))
    for opened, standard in ((given, 0), (out, 1), (log, 2)):
        os.dup2(opened, standard)
    for name in Config().describe():
        os.environ.pop(name, None)
    os.environ.update(order["environment"])
    os.chdir(order["directory"])
    sys.argv = [order["role"], *order["arguments"]]
    module, function = _ENTRANCES[order["role"]]
    status = 1
    try:
        getattr(import_module(module), function)()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except Exception as error:  # noqa: BLE001 - as the interpreter does at the end of a program
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        _status(Path(order["log"])).write_text(str(status))
        os._exit(status)


def _status(log: Path) -> Path:
    return log.with_suffix(".status")


def _bury() -> None:
    # Children that have ended stay until then, so that their ids name nobody else before pidfd_open.
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    _serve()
