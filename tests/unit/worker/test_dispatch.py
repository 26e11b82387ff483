from __future__ import annotations

from datetime import UTC, datetime

import pytest

from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT, EventId, LeaseToken
from athenaeum.errors import Discard, LeaseLost, Misconfigured, Refused, RetryLater
from athenaeum.worker.dispatch import Dispatch


class Scripted:
    def __init__(self, error: BaseException | None = None, *, give_up_error: Exception | None = None) -> None:
        self.error = error
        self.give_up_error = give_up_error
        self.handled: list[Event] = []
        self.given_up: list[Exception] = []

    async def handle(self, event: Event) -> None:
        self.handled.append(event)
        if self.error is not None:
            raise self.error

    async def give_up(self, event: Event, error: Exception) -> None:
        self.given_up.append(error)
        if self.give_up_error is not None:
            raise self.give_up_error


def event(attempt: int = 1, kind: str = "turn") -> Event:
    return Event(EventId(1), DEFAULT_TENANT, kind, {}, LeaseToken(1), attempt, datetime.now(UTC))


def dispatch(handler: Scripted) -> Dispatch:
    return Dispatch({"turn": handler}, 3)


async def test_an_event_goes_to_the_handler_of_its_kind() -> None:
    handler = Scripted()
    await dispatch(handler)(event())
    assert len(handler.handled) == 1


async def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Refused, match="no handler for events of kind 'other'"):
        await dispatch(Scripted())(event(kind="other"))


@pytest.mark.parametrize(
    ("error", "attempt", "given_up"),
    [
        (RetryLater("away"), 1, False),
        (RetryLater("away"), 3, False),
        (RetryLater("away"), 4, True),
        (RuntimeError("bug"), 1, False),
        (RuntimeError("bug"), 4, True),
        (Refused("no"), 1, True),
        (Misconfigured("no key"), 1, True),
        (Discard("gone"), 4, False),
        (LeaseLost("overtaken"), 4, False),
    ],
)
async def test_the_handler_gives_up_when_the_queue_will(error: Exception, attempt: int, given_up: bool) -> None:
    handler = Scripted(error)
    with pytest.raises(type(error)):
        await dispatch(handler)(event(attempt))
    assert handler.given_up == ([error] if given_up else [])


async def test_a_handler_that_fails_to_give_up_does_not_hide_the_error() -> None:
    handler = Scripted(Refused("no"), give_up_error=RuntimeError("worse"))
    with pytest.raises(Refused, match="no"):
        await dispatch(handler)(event())


async def test_a_lease_lost_while_giving_up_is_told() -> None:
    handler = Scripted(Refused("no"), give_up_error=LeaseLost("overtaken"))
    with pytest.raises(LeaseLost):
        await dispatch(handler)(event())


async def test_an_event_whose_workers_all_died_is_given_up_without_another_try() -> None:
    handler = Scripted()
    with pytest.raises(Refused, match="died on each of 4 attempts"):
        await dispatch(handler)(event(attempt=5))
    assert handler.handled == []
    assert len(handler.given_up) == 1
