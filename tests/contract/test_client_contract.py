"""Each call that Athenaeum makes of Slack, made by its own client, of the simulator and of a real workspace."""

from __future__ import annotations

import ast
import inspect
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from athenaeum.diagnostics.blocks import sample
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.slack.chunks import task, words
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import (
    CallRefused,
    ContentRefused,
    Duplicate,
    MessageGone,
    SlackFailure,
    StreamEnded,
    StreamRunning,
)
from athenaeum.slack.post import Post
from support.slack_workspace import Workspace

LIFE = {"close", "limits", "is_clamped"}
MARK = {"event_type": "athenaeum_turn", "event_payload": {"turn": "t-1", "part": 0}}


@pytest.fixture
async def client(workspace: Workspace) -> AsyncIterator[SlackClient]:
    async with SlackClient(workspace.bot.token, base_url=workspace.bot.base_url) as opened:
        yield opened


@pytest.fixture
async def thread(workspace: Workspace) -> MessageTs:
    """A question, whose thread the bot answers in."""
    return MessageTs(await workspace.say(workspace.channel, f"A question {uuid4()}", None))


def post(workspace: Workspace, thread: MessageTs | None, text: str = "Thinking…") -> Post:
    return Post(ChannelId(workspace.channel), thread, text, blocks=(), client_msg_id=uuid4(), metadata=MARK)


async def refusal(call: Any) -> str:
    with pytest.raises(SlackFailure) as refused:
        await call
    return refused.value.code


def test_every_call_of_the_client_is_held_to_the_contract() -> None:
    offered = {name for name, _ in inspect.getmembers(SlackClient) if not name.startswith("_")} - LIFE
    called = {node.attr for node in ast.walk(ast.parse(Path(__file__).read_text())) if isinstance(node, ast.Attribute)}

    assert offered - called == set()


async def test_the_bot_knows_itself_and_its_scopes(workspace: Workspace, client: SlackClient) -> None:
    identity = await client.auth_test()
    assert identity.bot_user == workspace.bot_user
    assert "chat:write" in (identity.scopes or ())


async def test_only_an_app_token_opens_a_socket(workspace: Workspace, client: SlackClient) -> None:
    async with SlackClient(workspace.app_token, base_url=workspace.bot.base_url) as app:
        assert (await app.open_socket()).startswith(("ws://", "wss://"))
    assert await refusal(client.open_socket()) == "not_allowed_token_type"


async def test_a_grant_that_is_none_gives_no_token(client: SlackClient) -> None:
    grant = {"client_id": "1.1", "client_secret": "none", "code": "none"}
    assert await refusal(client.oauth_access(grant)) in {"invalid_client_id", "bad_client_secret", "invalid_code"}


async def test_people_channels_and_members_are_read(workspace: Workspace, client: SlackClient) -> None:
    place = ChannelId(workspace.channel)
    assert workspace.person in [user["id"] async for user in client.users()]
    assert place in [channel["id"] async for channel in client.channels()]
    assert {workspace.person, workspace.bot_user} <= {member async for member in client.members(place)}
    assert (await client.channel_info(place))["id"] == place
    assert (await client.user_info(UserId(workspace.person)))["tz"]


async def test_what_was_posted_is_recognised_in_its_thread_and_edited_until_it_is_deleted(
    workspace: Workspace, client: SlackClient, thread: MessageTs
) -> None:
    place = ChannelId(workspace.channel)
    ts = await client.post_message(post(workspace, thread))
    await client.update_message(place, ts, text="The answer.")
    [found] = [one async for one in client.replies(place, thread, after=thread, metadata=True) if one["ts"] == ts]
    assert (found["text"], found["metadata"]) == ("The answer.", MARK)
    [page] = [page async for page in client.reply_pages(place, thread)]
    assert [one["ts"] for one in page] == [thread, ts]

    await client.delete_message(place, ts)
    with pytest.raises(MessageGone):
        await client.update_message(place, ts, text="Too late.")


async def test_a_message_of_its_own_is_recognised_in_the_channel(workspace: Workspace, client: SlackClient) -> None:
    place = ChannelId(workspace.channel)
    before = MessageTs(await workspace.say(place, "before", None))
    ts = await client.post_message(post(workspace, None, "A digest."))
    found = [one async for one in client.history(place, after=before, metadata=True)]
    assert [(one["ts"], one["metadata"]) for one in found] == [(ts, MARK)]
    pages = [page async for page in client.history_pages(place, after=before)]
    assert [one["ts"] for page in pages for one in page] == [ts]


async def test_the_same_message_is_posted_once(workspace: Workspace, client: SlackClient, thread: MessageTs) -> None:
    place, same = ChannelId(workspace.channel), post(workspace, thread)
    ts = await client.post_message(same)
    with suppress(Duplicate):  # Slack is known to answer either way
        assert await client.post_message(same) == ts
    assert len([one async for one in client.replies(place, thread, after=thread) if one["ts"] != thread]) == 1


async def test_one_person_is_told_in_a_channel_and_directly(workspace: Workspace, client: SlackClient) -> None:
    person = UserId(workspace.person)
    await client.post_ephemeral(ChannelId(workspace.channel), person, "psst")
    call = client.post_ephemeral(ChannelId(workspace.channel), UserId("U00000000"), "psst")
    assert await refusal(call) == "user_not_in_channel"
    assert await client.open_direct(person) == await client.open_direct(person)


async def test_a_home_is_published_and_a_modal_needs_a_click(workspace: Workspace, client: SlackClient) -> None:
    title = {"type": "plain_text", "text": "Athenaeum"}
    words_ = [{"type": "section", "text": {"type": "plain_text", "text": "Hello."}}]
    await client.publish_home(UserId(workspace.person), {"type": "home", "blocks": words_})
    call = client.open_view("1.2.none", {"type": "modal", "title": title, "blocks": words_})
    assert await refusal(call) in {"invalid_trigger_id", "expired_trigger_id", "invalid_arguments"}


async def test_a_file_is_uploaded_shared_read_and_deleted(
    workspace: Workspace, client: SlackClient, thread: MessageTs
) -> None:
    file = await client.upload("answer.md", b"The answer.")
    await client.share(file, ChannelId(workspace.channel), title="Answer", thread_ts=thread)
    told = await client.file_info(file)
    assert await client.download(told["url_private"], limit=100) == b"The answer."
    await client.delete_file(file)
    assert await refusal(client.file_info(file)) in {"file_not_found", "file_deleted"}
    with pytest.raises(CallRefused):
        await client.download("https://files.example.org/private", limit=100)


async def test_a_stream_grows_until_it_is_stopped(workspace: Workspace, client: SlackClient, thread: MessageTs) -> None:
    place, reader = ChannelId(workspace.channel), UserId(workspace.person)
    team = (await client.auth_test()).team_id
    begun = [task("t", "Reading…", done=False)]
    ts = await client.start_stream(place, thread, chunks=begun, reader=reader, team=team)
    await client.append_stream(place, ts, [words("The answer.")])
    await client.stop_stream(place, ts)
    with pytest.raises(StreamEnded):
        await client.append_stream(place, ts, [words("Too late.")])
    await client.stop_stream(place, ts)


async def test_a_stream_is_known_in_its_thread_and_becomes_any_message_when_it_is_stopped(
    workspace: Workspace, client: SlackClient, thread: MessageTs
) -> None:
    # the promise takes this for granted of streams: docs/decisions/0015-streams-are-placeholders.md
    place, reader = ChannelId(workspace.channel), UserId(workspace.person)
    team = (await client.auth_test()).team_id
    ts = await client.start_stream(
        place, thread, chunks=[task("name/0/0", "Reading…", done=False)], reader=reader, team=team
    )
    (found,) = [message async for message in client.replies(place, thread, metadata=True) if message["ts"] == ts]
    cards = [card for block in found["blocks"] for card in (block, *(block.get("tasks") or ()))]
    assert "name/0/0" in {card.get("task_id") for card in cards}
    with suppress(StreamRunning):
        await client.update_message(place, ts, text="The answer.")
    await client.stop_stream(place, ts)
    await client.update_message(place, ts, text="The answer.")
    (found,) = [message async for message in client.replies(place, thread) if message["ts"] == ts]
    assert found["text"] == "The answer."


async def test_the_blocks_of_answers_are_taken(client: SlackClient) -> None:
    await client.validate_blocks(sample())
    with pytest.raises(ContentRefused):
        await client.validate_blocks([{"type": "section"}])


async def test_an_agent_shows_that_it_works_where_it_is_one(
    workspace: Workspace, client: SlackClient, thread: MessageTs
) -> None:
    place = ChannelId(workspace.channel)
    for call in (
        client.set_status(place, thread, "Thinking…"),
        client.set_session(place, thread, "processing"),
        client.suggest(place, ["What do you know?"]),
    ):
        try:
            await call
        except SlackFailure as error:  # an app that is no agent; to Athenaeum these signs are ornaments
            assert error.code not in {"unknown_method", "not_authed"}  # noqa: PT017
