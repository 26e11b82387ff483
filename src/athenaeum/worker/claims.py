"""Claims over a connection that may be cut off: what nobody heard of is handed back before the next one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import structlog

from athenaeum.database.link import FAULTS, Backoff
from athenaeum.events import queue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from athenaeum.database.link import Link
    from athenaeum.worker.executor import Executor

log = structlog.get_logger(__name__)

T = TypeVar("T")


class CutOff(Exception):  # noqa: N818 - says what happened, like the errors of the house
    """The database was away, and the claim may have been made; `again_in` is when to try again."""

    def __init__(self, again_in: timedelta) -> None:
        """`again_in` grows with each failure in a row."""
        super().__init__(f"the claim was cut off: again in {again_in.total_seconds():.1f} s")
        self.again_in = again_in


@dataclass(slots=True)
class Claims:
    """The claims of one executor, one at a time."""

    link: Link
    executor: Executor
    _unheard: bool = False
    _backoff: Backoff = field(default_factory=Backoff)

    async def make(self, claim: Callable[[Link], Awaitable[T]]) -> T:
        """What `claim` gives; the executor can keep and settle it then.

        Raises:
            CutOff: The database is away.
        """
        try:
            await self.executor.connect()
            if self._unheard:
                await queue.release_unknown(self.link, self.executor.worker, self.executor.held)
                self._unheard = False
            claimed = await claim(self.link)
        except FAULTS as error:
            self._unheard = True
            again_in = self._backoff.next()
            log.warning("claim.failed", error=type(error).__name__, again_in=again_in.total_seconds())
            raise CutOff(again_in) from error
        self._backoff.reset()
        return claimed
