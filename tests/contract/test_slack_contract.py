"""What slack-sdk's clients may rely on, of the simulator and of a real workspace."""

from __future__ import annotations

from itertools import chain
from typing import Any
from uuid import uuid4

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from support.slack_workspace import Ear, Workspace

METADATA = {"event_type": "turn", "event_payload": {"turn": "t-1"}}


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


# Who is calling


async def test_auth_test_names_the_bot_and_its_scopes(workspace: Workspace) -> None:
    answer = await workspace.bot.auth_test()
    assert answer["user_id"] == workspace.bot_user
    assert "chat:write" in answer.headers["x-oauth-scopes"]


@pytest.mark.parametrize(("token", "error"), [("xoxb-wrong", "invalid_auth"), ("", "not_authed")])
async def test_a_wrong_token_is_refused(workspace: Workspace, token: str, error: str) -> None:
    client = AsyncWebClient(token=token, base_url=workspace.bot.base_url)
    assert await refusal(client.auth_test()) == error


async def test_an_app_token_is_no_bot_token(workspace: Workspace) -> None:
    client = AsyncWebClient(token=workspace.app_token, base_url=workspace.bot.base_url)
    call = client.chat_postMessage(channel=workspace.channel, text="hello")
    assert await refusal(call) == "not_allowed_token_type"


async def test_an_unknown_method_is_refused(workspace: Workspace) -> None:
    assert await refusal(workspace.bot.api_call("chat.sing")) == "unknown_method"


# People and conversations


async def test_users_are_found_by_id_and_email(workspace: Workspace) -> None:
    user = (await workspace.bot.users_info(user=workspace.person))["user"]
    found = (await workspace.bot.users_lookupByEmail(email=user["profile"]["email"]))["user"]
    assert found["id"] == workspace.person
    assert await refusal(workspace.bot.users_lookupByEmail(email="no@example.org")) == "users_not_found"
    assert await refusal(workspace.bot.users_info(user="U00000000")) == "user_not_found"


async def test_lists_are_read_page_by_page(workspace: Workspace) -> None:
    pages = [[user["id"] for user in answer["members"]] async for answer in await workspace.bot.users_list(limit=2)]
    everybody = (await workspace.bot.users_list())["members"]
    assert all(len(page) <= 2 for page in pages)
    assert list(chain.from_iterable(pages)) == [user["id"] for user in everybody]
    assert await refusal(workspace.bot.users_list(cursor="nonsense")) == "invalid_cursor"


async def test_the_bot_knows_of_private_channels_only_when_it_is_in_them(workspace: Workspace) -> None:
    answer = await workspace.bot.conversations_list(types="public_channel,private_channel", limit=1000)
    listed = {channel["id"]: channel["is_member"] for channel in answer["channels"]}
    assert listed[workspace.private]
    assert not listed[workspace.foreign]
    assert workspace.hidden not in listed
    assert await refusal(workspace.bot.conversations_info(channel=workspace.hidden)) == "channel_not_found"


async def test_members_of_a_channel_are_listed(workspace: Workspace) -> None:
    answer = await workspace.bot.conversations_members(channel=workspace.channel)
    assert {workspace.person, workspace.bot_user} <= set(answer["members"])


async def test_a_direct_message_is_opened_once(workspace: Workspace) -> None:
    first = await workspace.bot.conversations_open(users=[workspace.person])
    second = await workspace.bot.conversations_open(users=workspace.person, return_im=True)
    assert second["channel"]["id"] == first["channel"]["id"]
    assert second["channel"]["is_im"]


# Posting


async def test_a_post_appears_in_the_history(workspace: Workspace) -> None:
    posted = await workspace.bot.chat_postMessage(channel=workspace.channel, text="hello")
    (newest,) = (await workspace.bot.conversations_history(channel=workspace.channel, limit=1))["messages"]
    assert (newest["ts"], newest["text"], newest["user"]) == (posted["ts"], "hello", workspace.bot_user)
    assert newest["bot_id"]


@pytest.mark.parametrize(
    ("place", "error"),
    [("foreign", "not_in_channel"), ("hidden", "channel_not_found"), ("archived", "is_archived")],
)
async def test_the_bot_posts_only_where_it_may(workspace: Workspace, place: str, error: str) -> None:
    call = workspace.bot.chat_postMessage(channel=getattr(workspace, place), text="hello")
    assert await refusal(call) == error


async def test_a_post_needs_something_to_say(workspace: Workspace) -> None:
    call = workspace.bot.api_call("chat.postMessage", json={"channel": workspace.channel})
    assert await refusal(call) == "no_text"


async def test_a_long_text_is_cut_at_forty_thousand(workspace: Workspace) -> None:
    posted = await workspace.bot.chat_postMessage(channel=workspace.channel, text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000


async def test_blocks_over_the_limits_are_refused(workspace: Workspace) -> None:
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]
    many = [{"type": "divider"}] * 51
    for blocks in (long, many):
        call = workspace.bot.chat_postMessage(channel=workspace.channel, text="x", blocks=blocks)
        assert await refusal(call) == "invalid_blocks"


async def test_markdown_text_stands_alone(workspace: Workspace) -> None:
    posted = await workspace.bot.chat_postMessage(channel=workspace.channel, markdown_text="**hello**")
    assert posted["ok"]
    call = workspace.bot.chat_postMessage(channel=workspace.channel, markdown_text="*a*", text="a")
    assert await refusal(call) == "markdown_text_conflict"


async def test_the_same_client_msg_id_posts_once(workspace: Workspace) -> None:
    arguments: dict[str, Any] = {"channel": workspace.channel, "client_msg_id": str(uuid4())}
    words = f"once {arguments['client_msg_id']}"
    first = await workspace.bot.chat_postMessage(text=words, **arguments)
    second = await workspace.bot.chat_postMessage(text=words, **arguments)
    assert second["ts"] == first["ts"]
    history = (await workspace.bot.conversations_history(channel=workspace.channel))["messages"]
    assert [message["text"] for message in history].count(words) == 1


async def test_metadata_is_read_back_only_when_asked_for(workspace: Workspace) -> None:
    parent = await workspace.say(workspace.channel, "question", None)
    await workspace.bot.chat_postMessage(channel=workspace.channel, thread_ts=parent, text="answer", metadata=METADATA)
    read = workspace.bot.conversations_replies
    plain = (await read(channel=workspace.channel, ts=parent))["messages"][-1]
    full = (await read(channel=workspace.channel, ts=parent, include_all_metadata=True))["messages"][-1]
    assert "metadata" not in plain
    assert full["metadata"] == METADATA


async def test_a_permalink_names_channel_and_ts(workspace: Workspace) -> None:
    ts = await workspace.say(workspace.channel, "hello", None)
    answer = await workspace.bot.chat_getPermalink(channel=workspace.channel, message_ts=ts)
    assert f"/archives/{workspace.channel}/p{ts.replace('.', '')}" in answer["permalink"]


async def test_an_ephemeral_needs_a_member(workspace: Workspace) -> None:
    sent = await workspace.bot.chat_postEphemeral(channel=workspace.channel, user=workspace.person, text="psst")
    assert sent["message_ts"]
    call = workspace.bot.chat_postEphemeral(channel=workspace.channel, user="U00000000", text="psst")
    assert await refusal(call) == "user_not_in_channel"


# Threads and history


async def test_replies_come_after_their_parent_and_not_in_the_history(workspace: Workspace) -> None:
    parent = await workspace.say(workspace.channel, "question", None)
    reply = await workspace.bot.chat_postMessage(channel=workspace.channel, thread_ts=parent, text="answer")
    thread = (await workspace.bot.conversations_replies(channel=workspace.channel, ts=parent))["messages"]
    history = (await workspace.bot.conversations_history(channel=workspace.channel))["messages"]
    assert [message["ts"] for message in thread] == [parent, reply["ts"]]
    assert (thread[0]["reply_count"], thread[1]["parent_user_id"]) == (1, workspace.person)
    assert reply["ts"] not in {message["ts"] for message in history}


async def test_a_broadcast_reply_is_in_the_history_too(workspace: Workspace) -> None:
    parent = await workspace.say(workspace.channel, "question", None)
    await workspace.bot.chat_postMessage(
        channel=workspace.channel, thread_ts=parent, text="answer", reply_broadcast=True
    )
    newest = (await workspace.bot.conversations_history(channel=workspace.channel))["messages"][0]
    assert (newest["subtype"], newest["thread_ts"]) == ("thread_broadcast", parent)


async def test_an_unknown_thread_is_refused(workspace: Workspace) -> None:
    missing = "1000000000.000001"
    post = workspace.bot.chat_postMessage(channel=workspace.channel, thread_ts=missing, text="x")
    assert await refusal(post) == "thread_not_found"
    read = workspace.bot.conversations_replies(channel=workspace.channel, ts=missing)
    assert await refusal(read) == "thread_not_found"


async def test_history_is_newest_first_and_paged(workspace: Workspace) -> None:
    said = [await workspace.say(workspace.channel, str(number), None) for number in range(5)]
    found: list[str] = []
    cursor: str | None = None
    while cursor != "":
        answer = await workspace.bot.conversations_history(channel=workspace.channel, limit=2, cursor=cursor)
        found += [message["ts"] for message in answer["messages"]]
        cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
        assert answer["has_more"] == bool(cursor)
    assert found[:5] == said[::-1]


async def test_a_range_of_history_leaves_its_ends_out_unless_inclusive(workspace: Workspace) -> None:
    said = [await workspace.say(workspace.channel, str(number), None) for number in range(3)]
    ends: dict[str, Any] = {"channel": workspace.channel, "oldest": said[0], "latest": said[2]}
    inner = (await workspace.bot.conversations_history(**ends))["messages"]
    outer = (await workspace.bot.conversations_history(**ends, inclusive=True))["messages"]
    assert [message["ts"] for message in inner] == [said[1]]
    assert [message["ts"] for message in outer] == said[::-1]


async def test_history_of_a_channel_without_the_bot_is_refused(workspace: Workspace) -> None:
    assert await refusal(workspace.bot.conversations_history(channel=workspace.foreign)) == "not_in_channel"
    assert await refusal(workspace.bot.conversations_history(channel=workspace.hidden)) == "channel_not_found"


# Changing what was said


async def test_the_bot_changes_and_deletes_its_own_messages_only(workspace: Workspace) -> None:
    own = (await workspace.bot.chat_postMessage(channel=workspace.channel, text="one"))["ts"]
    theirs = await workspace.say(workspace.channel, "mine", None)
    changed = await workspace.bot.chat_update(channel=workspace.channel, ts=own, text="two")
    assert (changed["text"], "edited" in changed["message"]) == ("two", True)
    update, delete = workspace.bot.chat_update, workspace.bot.chat_delete
    call = update(channel=workspace.channel, ts=theirs, text="x")
    assert await refusal(call) == "cant_update_message"
    assert await refusal(delete(channel=workspace.channel, ts=theirs)) == "cant_delete_message"
    await delete(channel=workspace.channel, ts=own)
    assert await refusal(delete(channel=workspace.channel, ts=own)) == "message_not_found"
    assert await refusal(update(channel=workspace.channel, ts=own, text="x")) == "message_not_found"


async def test_a_reaction_is_added_once(workspace: Workspace) -> None:
    ts = await workspace.say(workspace.channel, "hello", None)
    target = {"channel": workspace.channel, "timestamp": ts, "name": "eyes"}
    await workspace.bot.reactions_add(**target)
    assert await refusal(workspace.bot.reactions_add(**target)) == "already_reacted"
    message = (await workspace.bot.reactions_get(channel=workspace.channel, timestamp=ts))["message"]
    assert message["reactions"] == [{"name": "eyes", "users": [workspace.bot_user], "count": 1}]
    await workspace.bot.reactions_remove(**target)
    assert await refusal(workspace.bot.reactions_remove(**target)) == "no_reaction"


# Events


async def test_a_mention_arrives_as_two_events_of_one_message(workspace: Workspace, ear: Ear) -> None:
    ts = await workspace.say(workspace.channel, f"<@{workspace.bot_user}> hello", None)
    mention = await ear.hears(lambda event: event["type"] == "app_mention")
    message = await ear.hears(lambda event: event["type"] == "message")
    assert mention["ts"] == message["ts"] == ts
    assert (message["channel_type"], message["user"]) == ("channel", workspace.person)
    assert message["client_msg_id"]
    assert message["blocks"][0]["type"] == "rich_text"
    envelopes = [request.payload for request in ear.requests]
    assert len({payload["event_id"] for payload in envelopes}) == 2
    assert all(payload["authorizations"][0]["user_id"] == workspace.bot_user for payload in envelopes)


async def test_a_direct_message_arrives_without_a_mention(workspace: Workspace, ear: Ear) -> None:
    channel = (await workspace.bot.conversations_open(users=workspace.person))["channel"]["id"]
    await workspace.say(channel, f"<@{workspace.bot_user}> first", None)
    await workspace.say(channel, "second", None)
    await ear.hears(lambda event: event.get("text") == "second")
    messages = [event for event in ear.events if event["type"] != "im_created"]
    assert [(event["type"], event["channel_type"]) for event in messages] == [("message", "im")] * 2


async def test_the_bot_hears_its_own_post_and_its_change(workspace: Workspace, ear: Ear) -> None:
    posted = await workspace.bot.chat_postMessage(channel=workspace.channel, text="one")
    await workspace.bot.chat_update(channel=workspace.channel, ts=posted["ts"], text="two")
    echo = await ear.hears(lambda event: event.get("ts") == posted["ts"])
    changed = await ear.hears(lambda event: event.get("subtype") == "message_changed")
    assert echo["bot_id"]
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("one", "two")
    assert "user" not in changed
