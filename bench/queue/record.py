"""What a trial's processes note: when each event was sent, committed and started, and how long claims took."""

from __future__ import annotations

import json
import mmap
import time
from array import array
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

_CELL = 8  # bytes of an int64


class Record:
    """Columns of int64 in one file that all processes of a trial map; event `i` is the row `i`.

    Times are nanoseconds of the monotonic clock, which is one for all processes of a machine; 0: not yet.
    """

    def __init__(self, folder: Path, count: int) -> None:
        """The record in `folder`, which is made when it is not there, of `count` events."""
        self.folder = folder
        self.count = count
        path = folder / "record"
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(_CELL * count * 4)
        with path.open("r+b") as file:
            self._cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
        self.sent, self.committed, self.started, self.runs = (
            self._cells[column * count : (column + 1) * count] for column in range(4)
        )
        self._claims: list[tuple[int, int]] = []

    def start(self, i: int) -> None:
        """What every handler does, and all it does."""
        if self.started[i] == 0:
            self.started[i] = time.monotonic_ns()
        self.runs[i] += 1

    def timed(
        self, claim: Callable[P, Coroutine[object, object, R]], rows: Callable[[R], int]
    ) -> Callable[P, Coroutine[object, object, R]]:
        """A claim that notes how long it took, and how many `rows` it gave."""

        async def claim_timed(*args: P.args, **kwargs: P.kwargs) -> R:
            began = time.monotonic_ns()
            result = await claim(*args, **kwargs)
            self._claims.append((time.monotonic_ns() - began, rows(result)))
            return result

        return claim_timed

    def close(self) -> None:
        """Leave the claims to the process that reads them."""
        (self.folder / "claims").write_text(json.dumps(self._claims), encoding="ascii")

    def claims(self) -> Sequence[tuple[int, int]]:
        """Nanoseconds and rows of each claim that a worker made and that gave any."""
        path = self.folder / "claims"
        if not path.exists():
            return []
        return [(nanoseconds, rows) for nanoseconds, rows in json.loads(path.read_text(encoding="ascii")) if rows]

    def starts(self) -> list[int]:
        """The times of all that was started, in order."""
        return sorted(at for at in array("q", self.started.tobytes()) if at)

    def missing(self) -> int:
        """How many were not started yet.

        It is asked for beside the workers: counted in Python, 1,000,000 would keep a core from them.
        """
        return self.count - int(np.count_nonzero(np.frombuffer(self.started, dtype=np.int64)))

    def repeated(self) -> int:
        """How many were run more than once."""
        return sum(runs > 1 for runs in self.runs)
