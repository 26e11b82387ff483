from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from athenaeum.diagnostics import Finding, Verdict
from athenaeum.errors import Refused
from athenaeum.events import EventProcessor
from support.events import Queue

Look = Callable[..., Awaitable[dict[str, Finding]]]


async def test_a_database_that_is_as_it_should_be(look: Look) -> None:
    found = await look()

    assert {found[subject].status for subject in ("database", "migrations", "queue", "clock")} == {Verdict.OK}
    assert found["database"].detail.startswith("PostgreSQL ")
    assert "pgvector" in found["database"].detail


async def test_a_database_that_does_not_answer_hides_nothing_else(look: Look) -> None:
    found = await look(database_url="postgresql://nobody:secret@127.0.0.1:1/none")

    assert found["database"].status is Verdict.FAULT
    assert "127.0.0.1:1" in found["database"].detail
    assert "secret" not in found["database"].detail
    assert "DATABASE_URL" in str(found["database"].mend)
    assert found["model"].status is Verdict.OK


@pytest.mark.parametrize("address", ["postgresql://[bad", "mysql://there", "nonsense"])
async def test_an_address_that_cannot_be_read(look: Look, address: str) -> None:
    found = await look(database_url=address)

    assert found["database"].status is Verdict.FAULT
    assert "cannot be read" in found["database"].detail


async def test_an_empty_database_is_set_up_by_the_first_start(look: Look, empty_database_url: str) -> None:
    found = await look(database_url=empty_database_url)

    assert found["migrations"].status is Verdict.WARNING
    assert found["migrations"].mend == "athenaeum db migrate"
    assert found["queue"].status is Verdict.OK


async def test_a_schema_that_is_behind(look: Look, database_url: str) -> None:
    _revision(database_url, "0001")

    found = await look()

    assert found["migrations"].status is Verdict.FAULT
    assert "0002" in found["migrations"].detail
    assert found["migrations"].mend == "athenaeum db migrate"


async def test_a_schema_that_is_newer_than_the_program(look: Look, database_url: str) -> None:
    _revision(database_url, "9999")

    found = await look()

    assert found["migrations"].status is Verdict.FAULT
    assert "9999" in found["migrations"].detail


async def test_a_queue_that_cannot_be_read(look: Look, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE failed_events RENAME TO lost_events")

    found = await look()

    assert found["queue"].status is Verdict.WARNING
    assert found["queue"].mend == "athenaeum db migrate"


async def test_events_that_have_failed(look: Look, events: Queue) -> None:
    await events.put()
    async with events.database.session() as session:
        processor = EventProcessor(session, "test")
        event = await processor.claim_event()
        assert event is not None
        await processor.fail_event(event, Refused("as the test wants it"))

    found = await look()

    assert found["queue"].status is Verdict.WARNING
    assert "failed: 1" in found["queue"].detail
    assert "athenaeum events retry" in str(found["queue"].mend)


async def test_an_event_that_waits_for_a_worker(look: Look, events: Queue) -> None:
    await events.put(delay=timedelta(minutes=-5))

    found = await look()

    assert found["queue"].status is Verdict.WARNING
    assert "5 min" in found["queue"].detail
    assert found["queue"].mend == "athenaeum worker"


@pytest.mark.parametrize("minutes", [-2, 2])
async def test_a_clock_that_is_wrong(look: Look, minutes: int) -> None:
    found = await look(ahead=timedelta(minutes=minutes))

    assert found["clock"].status is Verdict.FAULT
    assert ("120 s ahead of" if minutes > 0 else "120 s behind") in found["clock"].detail
    assert "timedatectl" in str(found["clock"].mend)


async def test_a_home_that_cannot_be_written(look: Look, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    found = await look(home=tmp_path / "file" / "home")

    assert found["disk"].status is Verdict.FAULT
    assert "ATHENAEUM_HOME" in str(found["disk"].mend)


async def test_every_setting_that_is_wrong(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_POOL_SIZE", "many")

    found = await look()

    assert found["settings"].status is Verdict.FAULT
    assert found["settings"].detail.startswith("WORKER_POOL_SIZE: ")
    assert "WORKER_POOL_SIZE" in str(found["settings"].mend)
    assert found["database"].status is Verdict.OK


def _revision(url: str, revision: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
