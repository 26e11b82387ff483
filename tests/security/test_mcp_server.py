"""Control 12: our own MCP servers give each person what that person may read in Slack, and nobody else anything."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from fastmcp import Client
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from athenaeum.conversations import archive
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs, TenantId, UserId
from athenaeum.domain.passage import Origin
from athenaeum.mcp_servers.docs import docs_server
from athenaeum.mcp_servers.reader import NOT_ADMITTED, Reader
from athenaeum.mcp_servers.slack import slack_server
from athenaeum.mcp_servers.tokens import Tokens
from athenaeum.retrieval.audience import DOCUMENTS, OPEN_DOCUMENTS, readable_shelves
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.passages import NewPassage
from athenaeum.tenants import access
from support.index import Workspace
from support.membership import Society, societies
from support.side_doors import KEY, OTHER_KEY, OUTSIDE, SideDoor, call, complaint, side_door

STORM = os.environ.get("ATHENAEUM_STORM", "") not in {"", "0"}
SOCIETIES = 300 if STORM else 5
MAYA, TOM = (Reader(DEFAULT_TENANT, UserId(user)) for user in ("U1", "U2"))
TS = MessageTs("1700000000.000100")
CHALLENGE = f'resource_metadata="{OUTSIDE}/.well-known/oauth-protected-resource/mcp/slack"'

pytestmark = pytest.mark.timeout(3600 if STORM else 120)


@pytest.fixture
async def people(database: DatabaseConnection) -> Workspace:
    """Two members and a guest, and a public channel with all of them."""
    workspace = Workspace(database, DEFAULT_TENANT)
    for user in ("U1", "U2"):
        await workspace.user(user)
    await workspace.user("U3", guest=True)
    await workspace.channel("C1", "public", "U1", "U2", "U3")
    return workspace


@pytest.fixture
async def door(people: Workspace, database_url: str) -> AsyncGenerator[SideDoor]:
    async with side_door(database_url) as open_door:
        yield open_door


async def test_who_bears_no_token_is_told_where_to_learn_of_it(door: SideDoor) -> None:
    refused = await door.begin(None)
    metadata = (await door.http.get("/.well-known/oauth-protected-resource/mcp/slack")).json()

    assert (refused.status_code, refused.content) == (401, b"")
    assert refused.headers["www-authenticate"] == f"Bearer {CHALLENGE}"
    assert metadata["resource"] == f"{OUTSIDE}/mcp/slack"
    assert [server.rstrip("/") for server in metadata["authorization_servers"]] == [OUTSIDE]
    assert metadata["bearer_methods_supported"] == ["header"]


async def _for_another_server(door: SideDoor) -> str:
    return await door.token(MAYA, audience=f"{OUTSIDE}/mcp/docs")


async def _of_another_issuer(door: SideDoor) -> str:
    return await door.token(MAYA, signed_by=Tokens([KEY], issuer="https://elsewhere.example"))


async def _forged(door: SideDoor) -> str:
    return await door.token(MAYA, signed_by=Tokens([OTHER_KEY], issuer=OUTSIDE))


async def _expired(door: SideDoor) -> str:
    return await door.token(MAYA, lifetime=timedelta(minutes=-1))


async def _changed(door: SideDoor) -> str:
    head, _, signature = (await door.token(MAYA)).split(".")
    return ".".join((head, (await door.token(TOM)).split(".")[1], signature))


async def _unsigned(door: SideDoor) -> str:
    return jwt.encode(await _claims(door), "", algorithm="none")


async def _without_end(door: SideDoor) -> str:
    claims = await _claims(door)
    del claims["exp"]
    return _signed(door, claims)


async def _for_many(door: SideDoor) -> str:
    return _signed(door, {**await _claims(door), "aud": [door.audience, f"{OUTSIDE}/mcp/docs"]})


async def _of_nobody(door: SideDoor) -> str:
    return _signed(door, {**await _claims(door), "sub": "U1"})


async def _never_issued(door: SideDoor) -> str:
    return _signed(door, {**await _claims(door), "jti": str(uuid4())})


async def _of_somebody_else(door: SideDoor) -> str:
    return _signed(door, {**await _claims(door), "sub": TOM.subject})


async def _nonsense(_: SideDoor) -> str:
    return "nonsense"


async def _claims(door: SideDoor) -> dict[str, Any]:
    """Those of a good one."""
    return jwt.decode(await door.token(MAYA), options={"verify_signature": False})


def _signed(door: SideDoor, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, door.tokens._keys[0], algorithm="HS256")


WORTHLESS = (
    _for_another_server,
    _of_another_issuer,
    _forged,
    _expired,
    _changed,
    _unsigned,
    _without_end,
    _for_many,
    _of_nobody,
    _never_issued,
    _of_somebody_else,
    _nonsense,
)


async def test_a_token_that_is_not_for_this_server_is_worth_nothing(door: SideDoor) -> None:
    for bear in WORTHLESS:
        refused = await door.begin(await bear(door))

        assert refused.status_code == 401, bear.__name__
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
        assert CHALLENGE in refused.headers["www-authenticate"]
    assert (await door.begin(_signed(door, await _claims(door)))).status_code == 200  # what all of them began as


async def test_a_token_lives_as_long_as_the_key_that_signed_it(people: Workspace, database_url: str) -> None:
    async with side_door(database_url) as before:
        token = await before.token(MAYA)
    async with side_door(database_url, keys=f"{OTHER_KEY},{KEY}") as between:
        assert (await between.begin(token)).status_code == 200
    async with side_door(database_url, keys=OTHER_KEY) as after:
        assert (await after.begin(token)).status_code == 401


LEAVING = {
    "a guest": "UPDATE slack_users SET is_guest = true WHERE user_id = 'U1'",
    "deactivated": "UPDATE slack_users SET is_deleted = true WHERE user_id = 'U1'",
    "unknown": "DELETE FROM slack_users WHERE user_id = 'U1'",
    "uninstalled": "SELECT tenant_disable(athenaeum_tenant(), 'uninstalled', true)",
}


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
async def test_who_is_no_member_any_more_is_refused_from_then_on(
    door: SideDoor, database: DatabaseConnection, leave: str
) -> None:
    token = await door.token(MAYA)
    begun = await door.begin(token)
    session = {"mcp_session_id": begun.headers["mcp-session-id"]}
    assert (await door.post("tools/list", {}, token=token, **session)).status_code == 200
    on_standard_input = slack_server(database, Index(database, None), whose=lambda: MAYA)
    async with Client(on_standard_input) as client:
        assert (await call(client, "list_channels"))["channels"]

        async with database.session(DEFAULT_TENANT) as held:
            await held.execute(text(leave))

        assert (await door.post("tools/list", {}, token=token, **session)).status_code == 401
        assert (await door.begin(token)).status_code == 401
        assert await complaint(client, "list_channels") == NOT_ADMITTED


async def test_a_token_that_is_taken_back_opens_nothing_from_then_on(
    door: SideDoor, database: DatabaseConnection
) -> None:
    token, other = await door.token(MAYA), await door.token(MAYA)
    session = {"mcp_session_id": (await door.begin(token)).headers["mcp-session-id"]}

    async with database.session(DEFAULT_TENANT) as held:
        stolen = UUID(jwt.decode(token, options={"verify_signature": False})["jti"])
        assert await access.revoke(held, DEFAULT_TENANT, stolen) == MAYA.user

    assert (await door.post("tools/list", {}, token=token, **session)).status_code == 401
    assert (await door.post("tools/list", {}, token=other, **session)).status_code == 200


async def test_a_guest_is_never_let_in(door: SideDoor) -> None:
    assert (await door.begin(await door.token(Reader(DEFAULT_TENANT, UserId("U3"))))).status_code == 401


async def test_the_session_of_another_person_is_not_there(
    door: SideDoor, database: DatabaseConnection, other_tenant: TenantId
) -> None:
    namesake = Reader(other_tenant, MAYA.user)
    await Workspace(database, other_tenant).user(MAYA.user)
    token = await door.token(MAYA)
    session = {"mcp_session_id": (await door.begin(token)).headers["mcp-session-id"]}
    asked = {"name": "list_channels", "arguments": {}}

    told = [
        await door.post("tools/call", asked, token=await door.token(stranger), **session)
        for stranger in (TOM, namesake)
    ]
    unknown = await door.post("tools/call", asked, token=token, mcp_session_id="0" * 32)
    renewed = await door.post("tools/call", asked, token=await door.token(MAYA), **session)

    assert [answer.status_code for answer in told] == [404, 404]
    assert {answer.content for answer in told} == {unknown.content}
    assert renewed.status_code == 200


async def test_the_same_ids_in_another_workspace_mean_nothing(
    door: SideDoor, database: DatabaseConnection, other_tenant: TenantId
) -> None:
    workspace = Workspace(database, other_tenant)
    await workspace.user("U1")
    await workspace.channel("C1", "private", "U1")

    async with door.client(Reader(other_tenant, UserId("U1"))) as client:
        theirs = await call(client, "list_channels")
    async with door.client(MAYA) as client:
        ours = await call(client, "list_channels")

    assert [channel["kind"] for channel in theirs["channels"]] == ["private"]
    assert [channel["kind"] for channel in ours["channels"]] == ["public"]


@settings(max_examples=SOCIETIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(societies())
async def test_each_person_gets_just_what_the_audience_rule_gives_them(
    database: DatabaseConnection, society: Society
) -> None:
    index = Index(database, None)
    await _settle(database, index, society)
    try:
        for name in society.people:
            reader = Reader(DEFAULT_TENANT, UserId(name))
            given_ = await _given(database, index, reader, society)
            assert given_ == await _ruled(database, reader.audience, society), name
            for shelf in given_:
                assert name in society.shelf_readers(shelf), (name, shelf)
    finally:
        await _unsettle(database)


def _canary(shelf: str) -> str:
    return f"canary of {shelf.replace(' ', '-')}."


async def _settle(database: DatabaseConnection, index: Index, society: Society) -> None:
    """Says one thing in every channel and document, and files it."""
    passages = {
        f"slack:{channel.id}:{TS}": [
            NewPassage(
                Origin.MESSAGE,
                f"#{channel.id}",
                _canary(channel.id),
                channel_id=ChannelId(channel.id),
                written_at=datetime(2023, 11, 14, 22, 13, 20, 100, UTC),
            )
        ]
        for channel in society.channels
    }
    passages |= {
        shelf: [NewPassage(Origin.DOCUMENT, "Handbook", _canary(shelf), is_open=shelf == OPEN_DOCUMENTS)]
        for shelf in (DOCUMENTS, OPEN_DOCUMENTS)
    }
    async with database.session(DEFAULT_TENANT) as session:
        await society.settle(session)
        for channel in society.channels:
            raw = {"ts": TS, "user": "U0", "text": _canary(channel.id)}
            await archive.record(session, archive.read_message(raw, ChannelId(channel.id)))
        await index.put_all(session, DEFAULT_TENANT, passages)


async def _unsettle(database: DatabaseConnection) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        for table in ("slack_members", "slack_channels", "slack_users", "slack_messages"):
            await session.execute(text(f"DELETE FROM {table}"))


async def _given(database: DatabaseConnection, index: Index, reader: Reader, society: Society) -> set[str]:
    """The shelves of which the tools give anything; each tool has to give of the same ones."""
    slack = slack_server(database, index, whose=lambda: reader)
    docs = docs_server(database, index, whose=lambda: reader)
    async with Client(slack) as slack_client, Client(docs) as docs_client:
        if society.people[reader.user] != "member":
            assert await complaint(slack_client, "list_channels") == NOT_ADMITTED
            assert await complaint(docs_client, "search_documents", query="canary") == NOT_ADMITTED
            return set()
        listed = {channel["id"] for channel in (await call(slack_client, "list_channels"))["channels"]}
        found = str(await call(slack_client, "search_messages", query="canary", limit=20))
        for channel in society.channels:
            if channel.id in listed:
                read = await call(slack_client, "get_conversation", channel=channel.id)
                assert [message["text"] for message in read["messages"]] == [_canary(channel.id)]
            else:
                assert _canary(channel.id) not in await complaint(
                    slack_client, "get_conversation", channel=channel.id, thread_ts=TS
                )
            assert (_canary(channel.id) in found) is (channel.id in listed)
        told = str(await call(docs_client, "search_documents", query="canary", limit=20))
        return listed | {shelf for shelf in (DOCUMENTS, OPEN_DOCUMENTS) if _canary(shelf) in told}


async def _ruled(database: DatabaseConnection, audience: Audience, society: Society) -> set[str]:
    """What the path over Slack would look into for somebody's eyes alone."""
    if society.people[audience.asker or UserId("")] != "member":
        return set()
    statement, parameters = readable_shelves(audience)
    async with database.session(audience.tenant) as session:
        return set(await session.scalars(text(statement), parameters))
