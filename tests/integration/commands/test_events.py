from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, EventId
from athenaeum.errors import Refused
from athenaeum.events import EventProcessor, enqueue
from athenaeum.events.schedules import Schedule, schedule
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


async def _counts(athenaeum: CommandLine) -> dict[str, Any]:
    return json.loads((await athenaeum("events", "stats", "--json")).out)


async def test_an_empty_queue(athenaeum: CommandLine) -> None:
    told = {
        name: (await athenaeum("events", *name.split())).out for name in ("stats", "list", "limits list", "schedules")
    }

    assert told == {
        "stats": "nothing waits, runs or has failed\n",
        "list": "no events\n",
        "limits list": "no limits\n",
        "schedules": "no schedules\n",
    }
    assert json.loads((await athenaeum("events", "list", "--json")).out) == []
    assert (await _counts(athenaeum))["backlogs"] == []


async def test_the_queue_is_shown_by_kind_and_by_tenants_name(athenaeum: CommandLine, failed: EventId) -> None:
    stats = await athenaeum("events", "stats")

    head, row = stats.out.splitlines()
    assert head.split() == ["kind", "tenant", "ready", "waiting", "blocked", "running", "failed", "oldest"]
    [backlog] = (await _counts(athenaeum))["backlogs"]
    assert row.split() == ["test", *backlog["tenant_name"].split(), "0", "0", "0", "0", "1", "-"]
    assert (backlog["kind"], backlog["tenant"], backlog["failed"]) == ("test", str(DEFAULT_TENANT), 1)


async def test_a_cancelled_event_is_kept_as_failed(athenaeum: CommandLine, failed: EventId) -> None:
    await athenaeum("events", "retry", str(failed))

    assert (await athenaeum("events", "cancel", str(failed))).out == f"cancelled {failed}\n"
    shown = json.loads((await athenaeum("events", "show", str(failed), "--json")).out)
    assert (shown["status"], shown["error_message"]) == ("failed", "cancelled")
    again = await athenaeum("events", "cancel", str(failed))
    assert (again.status, "is failed already" in again.complaint) == (1, True)


async def test_failed_events_are_retried_and_dropped_by_kind(athenaeum: CommandLine, failed: EventId) -> None:
    assert (await athenaeum("events", "retry", "--kind", "other")).out == "retried 0\n"
    assert (await athenaeum("events", "drop", "--kind", "other", "--yes")).out == "dropped 0\n"
    assert (await athenaeum("events", "drop", "--kind", "test", "--yes")).out == "dropped 1\n"
    assert (await athenaeum("events", "show", str(failed))).status == 1


async def test_many_events_are_not_dropped_unasked(athenaeum: CommandLine, failed: EventId) -> None:
    outcome = await athenaeum("events", "drop", "--all")

    assert (outcome.status, outcome.out) == (2, "")
    assert "--yes" in outcome.complaint
    assert (await _counts(athenaeum))["failed"] == 1


async def test_a_limit_is_set_shown_and_removed(athenaeum: CommandLine, failed: EventId) -> None:
    [backlog] = (await _counts(athenaeum))["backlogs"]
    of = ("--kind", "test", "--tenant", backlog["tenant_name"])

    assert (await athenaeum("events", "limits", "set", "2", *of)).out == "at most 2 at once\n"
    listed = await athenaeum("events", "limits", "list")
    assert listed.out.splitlines()[1].split() == ["test", *backlog["tenant_name"].split(), "2", "0"]
    assert (await athenaeum("events", "limits", "remove", *of)).out == "removed\n"
    assert (await athenaeum("events", "limits", "remove", *of)).status == 1


async def test_a_limit_of_nobody_is_refused_by_name(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("events", "limits", "set", "2", "--tenant", "Nobody Ltd")

    assert outcome.status == 1
    assert "no tenant is called 'Nobody Ltd'" in outcome.complaint


async def test_a_schedule_is_shown_with_its_next_moment(athenaeum: CommandLine, database_url: str) -> None:
    async with DatabaseConnection(database_url) as database, database.session() as session:
        await schedule(session, Schedule("sweep", "test", {}, DEFAULT_TENANT, every=timedelta(hours=6)))

    listed = (await athenaeum("events", "schedules")).out.splitlines()[1].split()
    assert (listed[0], listed[1], listed[-3]) == ("sweep", "test", "6h")
    [shown] = json.loads((await athenaeum("events", "schedules", "--json")).out)
    assert (shown["name"], shown["priority"]) == ("sweep", 0)


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


@pytest.mark.parametrize("command", ["show", "cancel", "retry", "drop"])
async def test_an_event_that_does_not_exist(athenaeum: CommandLine, command: str) -> None:
    outcome = await athenaeum("events", command, "999999")

    assert outcome.status == 1
    assert "no event 999999" in outcome.complaint
    assert "events list" in outcome.complaint


async def test_a_number_beyond_every_event(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("events", "show", str(2**70))

    assert outcome.status in {1, 2}
    assert outcome.complaint
