"""Control 15: the audit log is appended to, and tampering with it is found."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from athenaeum.conversations import turns
from athenaeum.database import audit
from athenaeum.database.audit import OPERATOR, Deed, Integrity
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.approval import Proposal, ProposedCall
from athenaeum.domain.identity import DEFAULT_TENANT, ApprovalId, TenantId, UserId
from support.command_line import CommandLine
from support.database import PostgresServer
from support.desk import FENCE, GENERAL, QUESTION, CountedIndex, Desk
from support.zygote import Zygote


async def _record(database: DatabaseConnection, *subjects: str, tenant: TenantId = DEFAULT_TENANT) -> None:
    for subject in subjects:
        async with database.session(tenant) as session:
            await audit.record(
                session,
                Deed.PERSONA_CHANGED,
                tenant=tenant,
                actor=OPERATOR,
                subject=subject,
                fields=["näme", None, 1.5],
            )


async def _verify(database: DatabaseConnection, tenant: TenantId = DEFAULT_TENANT) -> Integrity:
    async with database.session(tenant) as session:
        return await audit.verify(session)


def _tamper(postgres: PostgresServer, database: DatabaseConnection, *statements: str) -> None:
    """Change the tables behind the triggers' back, as a superuser can."""
    name = urlsplit(database.url).path.lstrip("/")
    with psycopg.connect(postgres.admin_url, dbname=name) as admin:
        admin.execute("SET session_replication_role = replica")
        for statement in statements:
            admin.execute(sql.SQL(statement))  # pyright: ignore[reportArgumentType] - our own words


async def test_an_entry_is_kept_with_its_deed_actor_subject_and_detail(database: DatabaseConnection) -> None:
    await _record(database, "C1", "C2")
    async with database.session(DEFAULT_TENANT) as session:
        newest, first = await audit.entries(session)

    assert (newest.seq, newest.subject, first.seq, first.subject) == (2, "C2", 1, "C1")
    assert (first.deed, first.actor, first.detail) == (Deed.PERSONA_CHANGED, OPERATOR, {"fields": ["näme", None, 1.5]})
    assert (await _verify(database)).fault is None


async def test_an_empty_log_holds(database: DatabaseConnection) -> None:
    assert await _verify(database) == Integrity(0, "0:", None)


async def test_an_entry_stands_or_falls_with_what_it_tells_of(database: DatabaseConnection) -> None:
    await _record(database, "kept")
    with suppress(LookupError):
        async with database.session(DEFAULT_TENANT) as session:
            await audit.record(session, Deed.ERASED, tenant=DEFAULT_TENANT, actor="U1", subject="undone")
            raise LookupError
    await _record(database, "kept as well")

    async with database.session(DEFAULT_TENANT) as session:
        assert [(entry.seq, entry.subject) for entry in await audit.entries(session)] == [
            (2, "kept as well"),
            (1, "kept"),
        ]
    assert (await _verify(database)).fault is None


async def test_the_engine_records_what_it_may_not_read(database: DatabaseConnection) -> None:
    async with database.session() as session:
        await audit.record(session, Deed.INSTALLED, tenant=DEFAULT_TENANT, actor="U1", subject="T1")
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.session() as session:
            await audit.entries(session)

    assert (await _verify(database)).entries == 1


async def test_many_writers_make_one_chain(database: DatabaseConnection) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(_record(database, str(number)))

    verdict = await _verify(database)
    assert (verdict.entries, verdict.fault) == (8, None)


async def test_each_tenant_has_a_log_of_its_own(database: DatabaseConnection, other_tenant: TenantId) -> None:
    await _record(database, "ours")
    await _record(database, "theirs", tenant=other_tenant)
    async with database.session(other_tenant) as session:
        assert [entry.subject for entry in await audit.entries(session)] == ["theirs"]
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.session(other_tenant) as session:
            await audit.record(session, Deed.ERASED, tenant=DEFAULT_TENANT, actor="U1", subject="forged")

    assert (await _verify(database)).entries == (await _verify(database, other_tenant)).entries == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'U9'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "UPDATE audit_heads SET seq = 0",
        "DELETE FROM audit_heads",
    ],
)
async def test_the_application_can_change_nothing_of_it(database: DatabaseConnection, statement: str) -> None:
    await _record(database, "C1")
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.session(DEFAULT_TENANT) as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'U9'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_nor_can_the_tables_owner_by_mistake(database: DatabaseConnection, statement: str) -> None:
    await _record(database, "C1")
    async with await database.connect() as owner:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
            await owner.execute(sql.SQL(statement))  # pyright: ignore[reportArgumentType] - our own words


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit_log SET actor = 'U9' WHERE seq = 2", "entry 2 was changed"),
        ("UPDATE audit_log SET subject = 'C9' WHERE seq = 4", "entry 4 was changed"),
        ("UPDATE audit_log SET action = 'data.erased' WHERE seq = 1", "entry 1 was changed"),
        ("UPDATE audit_log SET detail = '{}' WHERE seq = 3", "entry 3 was changed"),
        ("UPDATE audit_log SET recorded_at = recorded_at - interval '1 us' WHERE seq = 3", "entry 3 was changed"),
        ("UPDATE audit_log SET hash = sha256('x') WHERE seq = 2", "entry 2 was changed"),
        ("DELETE FROM audit_log WHERE seq = 1", "entry 2 follows a gap"),
        ("DELETE FROM audit_log WHERE seq = 2", "entry 3 follows a gap"),
        ("DELETE FROM audit_log WHERE seq = 4", "it ends with entry 3, its head names 4: the end was cut off"),
        ("DELETE FROM audit_log", "it ends with entry 0, its head names 4: the end was cut off"),
        ("DELETE FROM audit_heads", "it ends with entry 4, its head names none: the end was cut off"),
    ],
)
async def test_tampering_is_found(
    database: DatabaseConnection, postgres: PostgresServer, statement: str, fault: str
) -> None:
    await _record(database, "C1", "C2", "C3", "C4")
    _tamper(postgres, database, statement)

    assert (await _verify(database)).fault == fault


async def test_an_entry_that_was_slipped_in_is_found(database: DatabaseConnection, postgres: PostgresServer) -> None:
    await _record(database, "C1", "C2")
    _tamper(
        postgres,
        database,
        "INSERT INTO audit_log SELECT tenant_id, 3, now(), action, 'U9', subject, detail, sha256(hash)"
        " FROM audit_log WHERE seq = 2",
    )

    assert (await _verify(database)).fault == "entry 3 was changed"


async def test_a_log_that_was_written_anew_holds_no_anchor_from_before(
    database: DatabaseConnection, postgres: PostgresServer
) -> None:
    await _record(database, "C1", "C2")
    anchor = (await _verify(database)).anchor
    await _record(database, "C3")
    async with database.session(DEFAULT_TENANT) as session:
        assert await audit.holds(session, anchor)
    _tamper(postgres, database, "DELETE FROM audit_log", "DELETE FROM audit_heads")
    await _record(database, "C1", "C2", "C3")

    assert (await _verify(database)).fault is None
    async with database.session(DEFAULT_TENANT) as session:
        assert not await audit.holds(session, anchor)
        assert not await audit.holds(session, "nonsense")


async def test_the_command_tells_what_was_done_and_whether_the_log_holds(
    database: DatabaseConnection, postgres: PostgresServer, tmp_path: Path, zygote: Zygote
) -> None:
    athenaeum = CommandLine(tmp_path, database.url, zygote)
    assert (await athenaeum("audit", "list")).out == "no entries\n"
    await _record(database, "C1", "C2")

    listed = await athenaeum("audit", "list", "--json")
    assert [entry["subject"] for entry in json.loads(listed.out)] == ["C2", "C1"]
    assert "persona.changed" in (await athenaeum("audit", "list")).out
    held = await athenaeum("audit", "verify", "--json")
    anchor = json.loads(held.out)["logs"][0]["anchor"]
    assert (held.status, (await athenaeum("audit", "verify", "--anchor", anchor)).status) == (0, 0)

    _tamper(postgres, database, "DELETE FROM audit_log WHERE seq = 2")
    broken = await athenaeum("audit", "verify", "--anchor", anchor)
    assert broken.status == 1
    assert "the end was cut off" in broken.out
    assert "no log holds the anchor" in broken.out


@pytest.mark.parametrize(("approved", "deed"), [(True, Deed.APPROVED), (False, Deed.DENIED)])
async def test_who_decided_about_a_tool_is_on_record_without_the_arguments(
    database: DatabaseConnection, approved: bool, deed: Deed
) -> None:
    desk = Desk(database, CountedIndex(database))
    await desk.set_out()
    proposal = Proposal(ApprovalId(uuid4()), (ProposedCall("1", "post", "Post a message", {"text": "a secret"}),))
    async with database.session(DEFAULT_TENANT) as session:
        await turns.park(session, await turns.look(session, QUESTION.turn), FENCE, proposal)
    for user in ("U2", "U1", "U1"):  # who did not ask decides nothing, and who asked decides once
        async with database.session(DEFAULT_TENANT) as session:
            await turns.decide(session, proposal.id, user=UserId(user), channel=GENERAL, approved=approved)

    async with database.session(DEFAULT_TENANT) as session:
        (entry,) = await audit.entries(session)
    assert (entry.deed, entry.actor, entry.subject) == (deed, "U1", str(proposal.id))
    assert entry.detail == {"turn": str(QUESTION.turn), "tools": ["post"]}
