"""From an event to its handler, and from the handler's error to what the queue and the asker are told.

This is the one place where any exception is caught: whatever a handler raises, the event gets an outcome, and
on the last attempt the handler is asked to tell the person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from athenaeum.errors import LeaseLost, Refused
from athenaeum.events.retry import Fail, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.domain.event import Event

log = structlog.get_logger(__name__)


class Handler(Protocol):
    """What is done for one kind of event."""

    async def handle(self, event: Event) -> None:
        """Do the work; may be called again for the same event, also by another process."""
        ...

    async def give_up(self, event: Event, error: Exception) -> None:
        """The event fails for good with `error`: tell whoever waits for it."""
        ...


class Dispatch:
    """The pool's `process_func`: hands each event to the handler of its kind."""

    def __init__(self, handlers: Mapping[str, Handler], max_retries: int) -> None:
        """`max_retries` is the pool's: it decides which attempt is the last."""
        self._handlers = handlers
        self._max_retries = max_retries

    async def __call__(self, event: Event) -> None:
        """Return when the event is done; raise what `events.retry.decide` is to judge."""
        handler = self._handlers.get(event.kind)
        if handler is None:
            raise Refused(f"no handler for events of kind {event.kind!r}: run a worker of the version that knows it")
        if event.attempt > self._max_retries + 1:
            # The queue's rescuer hands it out this once more for its asker's sake.
            error = Refused(f"the worker died on each of {self._max_retries + 1} attempts")
            await self._give_up(handler, event, error)
            raise error
        try:
            await handler.handle(event)
        except LeaseLost:
            raise
        except Exception as error:
            log.warning(
                "event.failed", event_id=event.id, kind=event.kind, attempt=event.attempt, error=type(error).__name__
            )
            if isinstance(decide(error, attempt=event.attempt, max_retries=self._max_retries), Fail):
                await self._give_up(handler, event, error)
            raise

    @staticmethod
    async def _give_up(handler: Handler, event: Event, error: Exception) -> None:
        try:
            await handler.give_up(event, error)
        except LeaseLost:
            raise
        except Exception:  # the event fails with its own error; the janitor makes good what could not be told
            log.exception("event.give_up_failed", event_id=event.id, kind=event.kind)
