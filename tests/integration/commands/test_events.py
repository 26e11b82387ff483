from __future__ import annotations

import json
from collections.abc import AsyncGenerator

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, EventId
from athenaeum.errors import Refused
from athenaeum.events import EventProcessor, enqueue
from support.command_line import CommandLine


@pytest.fixture
async def failed(database_url: str) -> AsyncGenerator[EventId]:
    """An event that has failed for good."""
    async with DatabaseConnection(database_url) as database:
        async with database.session(DEFAULT_TENANT) as session:
            event_id = await enqueue(session, NewEvent("test", {"n": 1}, DEFAULT_TENANT))
        async with database.session() as session:
            processor = EventProcessor(session, "test")
            event = await processor.claim_event()
            assert event is not None
            await processor.fail_event(event, Refused("the [model] said no\nat length"))
        assert event_id is not None
        yield event_id


async def _counts(athenaeum: CommandLine) -> dict[str, float]:
    return json.loads((await athenaeum("events", "stats", "--json")).out)


async def test_an_empty_queue(athenaeum: CommandLine) -> None:
    stats, listed = await athenaeum("events", "stats"), await athenaeum("events", "list")

    assert stats.out.split()[:4] == ["pending", "0", "processing", "0"]
    assert listed.out == "no events\n"
    assert json.loads((await athenaeum("events", "list", "--json")).out) == []


async def test_a_failed_event_is_found_read_and_retried(athenaeum: CommandLine, failed: EventId) -> None:
    assert (await _counts(athenaeum))["failed"] == 1

    listed = await athenaeum("events", "list", "--status", "failed")
    assert str(failed) in listed.out
    assert "the [model] said no" in listed.out

    shown = json.loads((await athenaeum("events", "show", str(failed), "--json")).out)
    assert (shown["status"], shown["payload"]) == ("failed", {"n": 1})
    assert "at length" in (await athenaeum("events", "show", str(failed))).out

    retried = await athenaeum("events", "retry", str(failed))
    assert (retried.status, retried.out) == (0, "retried 1\n")
    counts = await _counts(athenaeum)
    assert (counts["failed"], counts["pending"]) == (0, 1)


async def test_an_event_that_has_not_failed_is_neither_retried_nor_dropped(
    athenaeum: CommandLine, failed: EventId
) -> None:
    await athenaeum("events", "retry", "--all")

    for command in ("retry", "drop"):
        outcome = await athenaeum("events", command, str(failed))
        assert outcome.status == 1
        assert "is pending, not failed" in outcome.complaint
    assert (await _counts(athenaeum))["pending"] == 1


async def test_a_failed_event_is_dropped_for_good(athenaeum: CommandLine, failed: EventId) -> None:
    assert (await athenaeum("events", "drop", str(failed))).out == f"dropped {failed}\n"

    assert (await athenaeum("events", "show", str(failed))).status == 1
    assert (await _counts(athenaeum))["failed"] == 0


@pytest.mark.parametrize("command", ["show", "retry", "drop"])
async def test_an_event_that_does_not_exist(athenaeum: CommandLine, command: str) -> None:
    outcome = await athenaeum("events", command, "999999")

    assert outcome.status == 1
    assert "no event 999999" in outcome.complaint
    assert "events list" in outcome.complaint


async def test_a_number_beyond_every_event(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("events", "show", str(2**70))

    assert outcome.status in {1, 2}
    assert outcome.complaint
