"""The model of PostgreSQL gives what PostgreSQL gives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from athenaeum.conversations import archive, turns
from athenaeum.database.link import Link
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, LeaseToken, MessageTs, UserId, turn_id
from athenaeum.domain.turn import Answer
from athenaeum.errors import AthenaeumError
from athenaeum.events import enqueue, queue
from athenaeum.worker import rescue
from athenaeum.worker.delivery import intents
from support.simulation.contract import (
    Pass,
    in_postgres,
    in_store,
    known,
    side_by_side,
    stuck_in_postgres,
    stuck_in_store,
)

MINUTE = timedelta(minutes=1)
EXAMPLES = 30
CANCEL = text("SELECT events_cancel(:id)")
REVIVE = text("SELECT events_revive(:id)")
CHANNEL = ChannelId("C1")
STAMPS = (MessageTs("1700000000.000100"), MessageTs("1700000000.000200"))
POSTERS = (UUID(int=1), UUID(int=2))

Step = tuple[Any, ...]


async def step_of_queue(database: Any, link: Link, claimed: list[Event], step: Step) -> Any:  # noqa: PLR0911 - one each
    """One statement; events are chosen among those that were claimed so far, also those that are held no longer."""
    match step:
        case ("enqueue", dedupe, key, priority, delayed):
            async with database.session(DEFAULT_TENANT) as session:
                delay = MINUTE if delayed else timedelta(0)
                new = NewEvent("x", {"n": 1}, DEFAULT_TENANT, dedupe, key, priority=priority, delay=delay)
                return await enqueue(session, new)
        case ("claim", limit, kinds):
            after = claimed[-1] if claimed else None
            events = await queue.claim(link, "w", limit=limit, lease=MINUTE, kinds=kinds, after=after)
            claimed += sorted(events, key=lambda event: event.token)
            return [(event.id, event.kind, event.attempt, event.token, event.payload) for event in claimed]
        case ("claim one", number):
            event = await queue.claim_one(link, "w", number, lease=MINUTE)
            claimed += [event] if event else []
            return event and (event.id, event.token, event.attempt)
        case ("cancel" | "revive", number):
            async with database.session() as session:
                found = await session.execute(CANCEL if step[0] == "cancel" else REVIVE, {"id": number})
                return found.scalar_one()
        case ("release unknown", number):
            return await queue.release_unknown(link, "w", [number])
        case ("rescue", attempts):
            return await rescue.rescue(database, max_retries=attempts)
        case (name, place, *more) if claimed:
            return await _of_claim(link, name, claimed[place % len(claimed)], claimed[0], more)
        case _:
            return None


async def _of_claim(link: Link, name: str, event: Event, other: Event, more: list[Any]) -> Any:
    match name:
        case "complete":
            both = [event] if event is other else [event, other]
            done = await queue.complete(link, both)
            return done.done, known(done.next_in is None)
        case "retry":
            return await queue.retry(link, event, "error", after=MINUTE if more[0] else timedelta(0))
        case "fail":
            return await queue.fail(link, event, "error")
        case "release":
            return await queue.release(link, [event])
        case _:
            return await queue.extend(link, [event, other], lease=MINUTE)


_PLACE = st.integers(0, 5)
_NUMBER = st.integers(1, 6)
QUEUE_STEPS = st.one_of(
    st.tuples(
        st.just("enqueue"),
        st.sampled_from([None, "d", "e"]),
        st.sampled_from([None, "a", "a", "b"]),
        st.integers(0, 1),
        st.booleans(),
    ),
    st.tuples(st.just("claim"), st.integers(1, 3), st.sampled_from([None, ["x"], ["y"]])),
    st.tuples(st.sampled_from(["claim one", "cancel", "revive", "release unknown"]), _NUMBER),
    st.tuples(st.just("rescue"), st.integers(0, 1)),
    st.tuples(st.just("retry"), _PLACE, st.booleans()),
    st.tuples(st.sampled_from(["complete", "complete", "fail", "release", "extend"]), _PLACE),
    st.tuples(st.just("pass"), st.sampled_from([0.7, 1.5])),
)


def test_the_queue_does_what_its_functions_do(database_url: str) -> None:
    with asyncio.Runner() as runner:

        @settings(max_examples=EXAMPLES, deadline=None)
        @given(st.lists(QUEUE_STEPS, min_size=3, max_size=20))
        def compare(steps: list[Step]) -> None:
            async def play(database: Any, let_pass: Pass) -> list[Any]:
                claimed: list[Event] = []
                told: list[Any] = []
                async with Link(database) as link:
                    for step in steps:
                        if step[0] == "pass":
                            await let_pass(MINUTE * step[1])
                        else:
                            told.append((step, await step_of_queue(database, link, claimed, step)))
                return told

            assert in_store(play) == runner.run(in_postgres(play, database_url))

        compare()


async def step_of_turn(session: Any, step: Step) -> Any:  # noqa: PLR0911 - one for each statement
    name, which, token, part = step[:4]
    ts = STAMPS[which]
    turn = turn_id(DEFAULT_TENANT, CHANNEL, ts)
    match name:
        case "open":
            return await turns.open_turn(
                session,
                tenant=DEFAULT_TENANT,
                surface=Surface.SLACK,
                channel=CHANNEL,
                message_ts=ts,
                thread_ts=STAMPS[0],
                asker=UserId("U1"),
                question="?",
            )
        case "take":
            return await turns.take(session, turn, LeaseToken(token), attempt=part, reopen=bool(part))
        case "save":
            return await turns.save_answer(session, turn, LeaseToken(token), Answer(f"{token}"), apology=bool(part))
        case "finish":
            return await turns.finish(session, turn, LeaseToken(token))
        case "fail":
            return await turns.fail(session, turn, LeaseToken(token), error="e", owing=bool(part))
        case "cancel":
            return await turns.cancel(session, turn, LeaseToken(token), reason="r")
        case "erase":
            return await archive.erase(session, CHANNEL, ts)
        case "stranded":
            return await turns.stranded(session, older_than=-MINUTE)
        case _:
            found = await turns.look(session, turn)
            return await step_of_intent(session, found, name, LeaseToken(token), part)


async def step_of_intent(session: Any, turn: turns.Turn, name: str, token: LeaseToken, part: int) -> Any:  # noqa: PLR0911
    poster = POSTERS[token % 2]
    match name:
        case "withdrawn":
            return await turns.withdrawn(session, turn)
        case "behind":
            return await intents.is_behind(session, turn)
        case "declare":
            return await intents.declare(session, turn, part)
        case "lease":
            return await intents.lease(session, turn, part, poster=poster, token=token, lasting=MINUTE)
        case "prolong":
            return await intents.prolong(session, turn, part, poster=poster, lasting=MINUTE)
        case "undo":
            return await intents.undo(session, turn, part, poster=poster, pause=MINUTE)
        case "hand over":
            return await intents.hand_over(session, turn, part, poster=poster, pause=timedelta(0))
        case _:
            intent = await intents.read(session, turn, part)
            if intent is None:
                return None
            if name == "record":
                return await intents.record(session, turn, intent, MessageTs(f"{token}.0"))
            return await intents.renew(session, turn, intent)


TURN_NAMES = (
    *("open", "take", "take", "save", "finish", "fail", "cancel", "erase", "stranded", "withdrawn"),
    *("behind", "declare", "lease", "lease", "prolong", "undo", "renew", "record", "hand over"),
)
TURN_STEPS = st.one_of(
    st.tuples(
        st.sampled_from(TURN_NAMES),
        st.integers(0, 1),
        st.integers(0, 3),
        st.integers(0, 1),
    ),
    st.tuples(st.just("pass"), st.sampled_from([0.7, 1.5])),
)


def _told(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: known(field) for name, field in asdict(value).items()}
    return [_told(each) for each in value] if isinstance(value, list) else known(value)


def test_turns_and_deliveries_are_written_as_their_statements_say(database_url: str) -> None:
    with asyncio.Runner() as runner:

        @settings(max_examples=EXAMPLES, deadline=None)
        @given(st.lists(TURN_STEPS, min_size=4, max_size=30))
        def compare(steps: list[Step]) -> None:
            async def play(database: Any, let_pass: Pass) -> list[Any]:
                told: list[Any] = []
                for step in [("open", 0, 0, 0), ("open", 1, 0, 0), *steps]:
                    if step[0] == "pass":
                        await let_pass(MINUTE * step[1])
                        continue
                    try:
                        async with database.session(DEFAULT_TENANT) as session:
                            told.append((step, _told(await step_of_turn(session, step))))
                    except AthenaeumError as error:
                        told.append((step, type(error)))
                return told

            assert in_store(play) == runner.run(in_postgres(play, database_url))

        compare()


def _new(key: str | None, dedupe: str | None = None) -> NewEvent:
    return NewEvent("x", {}, DEFAULT_TENANT, dedupe, key)


async def _claim(link: Link) -> Event:
    [event] = await queue.claim(link, "w", limit=1, lease=MINUTE)
    return event


async def _completing(database: Any, link: Link, event: Event) -> tuple[Any, Callable[[], Awaitable[Any]]]:
    async def enqueue_behind(session: Any) -> None:
        await enqueue(session, _new("a"))

    async def complete() -> Any:
        return (await queue.complete(link, [event])).done

    return enqueue_behind, complete


async def _cancelling(database: Any, link: Link, event: Event) -> tuple[Any, Callable[[], Awaitable[Any]]]:
    async with database.session(DEFAULT_TENANT) as session:
        waiting = await enqueue(session, _new("a"))

    async def cancel(session: Any) -> None:
        await session.execute(CANCEL, {"id": waiting})

    async def complete() -> Any:
        return (await queue.complete(link, [event])).done

    return cancel, complete


async def _heartbeat(database: Any, link: Link, event: Event) -> tuple[Any, Callable[[], Awaitable[Any]]]:
    async def enqueue_behind(session: Any) -> None:
        await enqueue(session, _new("a"))

    async def extend() -> Any:
        return await queue.extend(link, [event], lease=MINUTE)

    return enqueue_behind, extend


async def _same_dedupe_key(database: Any, link: Link, event: Event) -> tuple[Any, Callable[[], Awaitable[Any]]]:
    async def enqueue_first(session: Any) -> None:
        await enqueue(session, _new(None, "d"))

    async def again() -> Any:
        async with database.session(DEFAULT_TENANT) as session:
            return await enqueue(session, _new(None, "d"))

    return enqueue_first, again


async def _same_free_key(database: Any, link: Link, event: Event) -> tuple[Any, Callable[[], Awaitable[Any]]]:
    async def enqueue_first(session: Any) -> None:
        await enqueue(session, _new("free"))

    async def behind() -> Any:
        async with database.session(DEFAULT_TENANT) as session:
            return await enqueue(session, _new("free"))

    return enqueue_first, behind


async def _same_turn(database: Any, link: Link, event: Event) -> tuple[Any, Callable[[], Awaitable[Any]]]:
    async with database.session(DEFAULT_TENANT) as session:
        await step_of_turn(session, ("open", 0, 0, 0))
    turn = turn_id(DEFAULT_TENANT, CHANNEL, STAMPS[0])

    async def take(session: Any) -> None:
        await turns.take(session, turn, LeaseToken(2))

    async def take_older() -> Any:
        try:
            async with database.session(DEFAULT_TENANT) as session:
                return await turns.take(session, turn, LeaseToken(1))
        except AthenaeumError as error:
            return type(error)

    return take, take_older


async def _posting_while_the_fence_falls(
    database: Any, link: Link, event: Event
) -> tuple[Any, Callable[[], Awaitable[Any]]]:
    async with database.session(DEFAULT_TENANT) as session:
        await step_of_turn(session, ("open", 0, 0, 0))
    turn = turn_id(DEFAULT_TENANT, CHANNEL, STAMPS[0])
    async with database.session(DEFAULT_TENANT) as session:
        found = await turns.look(session, turn)
        await intents.declare(session, found, 0)

    async def take(session: Any) -> None:
        await turns.take(session, turn, LeaseToken(2))

    async def lease() -> Any:
        async with database.session(DEFAULT_TENANT) as session:
            poster = POSTERS[0]
            return _told(await intents.lease(session, found, 0, poster=poster, token=LeaseToken(0), lasting=MINUTE))

    return take, lease


@pytest.mark.parametrize(
    ("meet", "waits"),
    [
        (_completing, True),
        (_cancelling, True),
        (_heartbeat, False),
        (_same_dedupe_key, True),
        (_same_free_key, True),
        (_same_turn, True),
        (_posting_while_the_fence_falls, False),
    ],
)
async def test_who_waits_for_whom_is_the_same(meet: Any, waits: bool, database_url: str) -> None:
    def playing(is_stuck: Callable[[], Awaitable[bool]]) -> Any:
        async def play(database: Any, _: Pass) -> tuple[bool, Any]:
            async with Link(database) as link:
                async with database.session(DEFAULT_TENANT) as session:
                    await enqueue(session, _new("a"))
                first, second = await meet(database, link, await _claim(link))
                session = database.session(None if meet is _cancelling else DEFAULT_TENANT)
                return await side_by_side(session, first, second, is_stuck)

        return play

    real = await in_postgres(playing(stuck_in_postgres(database_url)), database_url)
    model = await asyncio.to_thread(in_store, playing(stuck_in_store))

    assert model == real
    assert real[0][0] is waits
