from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from yarl import URL

from slacksim.server import SlackSim


async def test_a_person_speaks_edits_and_deletes(control: Any) -> None:
    said = await control.post("messages", user="maya", channel="general", text="frist")
    await control.post("edit", user="maya", channel=said["channel"], ts=said["ts"], text="first")
    (message,) = (await control.get(f"messages?channel={said['channel']}"))["messages"]
    assert (message["text"], "edited" in message) == ("first", True)
    await control.post("delete", user="maya", channel=said["channel"], ts=said["ts"])
    assert (await control.get(f"messages?channel={said['channel']}"))["messages"] == []


async def test_a_thread_is_read_with_its_parent_first(control: Any) -> None:
    parent = await control.post("messages", user="maya", channel="general", text="one")
    await control.post("messages", user="tom", channel="general", text="aside")
    await control.post("messages", user="tom", channel="general", text="two", thread_ts=parent["ts"])
    shown = await control.get(f"messages?channel={parent['channel']}&thread_ts={parent['ts']}")
    assert [message["text"] for message in shown["messages"]] == ["one", "two"]


async def test_nobody_edits_the_words_of_another(control: Any) -> None:
    said = await control.post("messages", user="maya", channel="general", text="mine")
    refused = await control.post("edit", user="tom", channel="general", ts=said["ts"], text="yours")
    assert (refused["status"], refused["error"]) == (403, "cant_update_message")


@pytest.mark.parametrize(("user", "channel"), [("tom", "secret"), ("maya", "hidden"), ("vera", "general")])
async def test_what_somebody_may_not_read_is_refused(control: Any, user: str, channel: str) -> None:
    shown = await control.get(f"messages?channel={channel}&as_user={user}")
    assert (shown["status"], shown["ok"], shown["error"]) == (403, False, "channel_not_found")
    said = await control.post("messages", user=user, channel=channel, text="hello?")
    assert (said["status"], said["error"]) == (403, "channel_not_found")


async def test_messages_of_all_channels_are_those_that_a_person_may_read(control: Any) -> None:
    await control.post("messages", user="tom", channel="hidden", text="secret")
    await control.post("messages", user="tom", channel="general", text="open")
    shown = await control.get("messages?as_user=maya")
    assert [message["text"] for message in shown["messages"]] == ["open"]


async def test_the_world_names_tokens_people_and_channels(sim: SlackSim, control: Any) -> None:
    world = await control.get("world")
    assert world["tokens"]["bot_token"] == sim.world.app.bot_token
    assert world["bot"]["user_id"] in {user["id"] for user in world["users"]}
    assert {channel["kind"] for channel in world["channels"]} == {"public", "private", "im"}
    assert world["team"]["url"] == f"{sim.url}/"


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
async def test_other_origins_are_kept_out(
    sim: SlackSim, session: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with session.get(f"{sim.url}/_sim/world", headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (403, "loopback_only")


async def test_a_wrong_body_is_answered_with_the_field(control: Any) -> None:
    refused = await control.post("messages", user="maya", text="hi")
    assert (refused["status"], refused["detail"]) == (400, "channel: Field required")


async def test_a_reset_brings_the_beginning_back(control: Any) -> None:
    before = await control.get("world")
    await control.post("channels", user="maya", name="brand-new")
    await control.post("messages", user="maya", channel="general", text="hello")
    await control.post("reset")
    assert await control.get("world") == before
    assert (await control.get("messages"))["messages"] == []
    assert (await control.get("deliveries"))["deliveries"] == []


async def test_a_new_channel_with_the_bot_can_be_spoken_in(control: Any, sim: SlackSim) -> None:
    made = await control.post("channels", user="maya", name="war-room", private=True, members=["athenaeum"])
    await control.post("messages", user="maya", channel=made["channel"], text="hello")
    assert sim.simulation.outbox.deliveries[-1].payload["event"]["channel_type"] == "group"


async def test_a_group_message_is_opened_once(control: Any) -> None:
    first = await control.post("open", user="maya", users=["tom", "athenaeum"])
    second = await control.post("open", user="tom", users=["athenaeum", "maya"])
    assert first["channel"] == second["channel"]


async def test_reactions_appear_and_go(control: Any) -> None:
    said = await control.post("messages", user="maya", channel="general", text="hello")
    reaction: dict[str, Any] = {"channel": "general", "ts": said["ts"], "user": "tom", "name": "eyes"}
    await control.post("react", **reaction)
    (message,) = (await control.get("messages?channel=general"))["messages"]
    assert [(each["name"], each["count"]) for each in message["reactions"]] == [("eyes", 1)]
    await control.post("react", **reaction, remove=True)
    (message,) = (await control.get("messages?channel=general"))["messages"]
    assert message["reactions"] == []


async def test_a_click_is_an_interaction_that_can_be_answered(sim: SlackSim, control: Any, web: AsyncWebClient) -> None:
    button = {"type": "button", "action_id": "again", "text": {"type": "plain_text", "text": "Try again"}}
    posted = await web.chat_postMessage(
        channel="general", text="Failed", blocks=[{"type": "actions", "elements": [button | {"value": "7"}]}]
    )
    await control.post("click", user="maya", channel="general", ts=posted["ts"], action_id="again")
    payload = sim.simulation.outbox.deliveries[-1].payload
    assert (payload["type"], payload["actions"][0]["value"]) == ("block_actions", "7")
    await AsyncWebhookClient(payload["response_url"]).send(text="Working on it.")
    (seen,) = (await control.get("ephemerals?user=maya"))["ephemerals"]
    assert seen["text"] == "Working on it."


async def test_a_click_on_nothing_is_refused(control: Any) -> None:
    said = await control.post("messages", user="maya", channel="general", text="hello")
    refused = await control.post("click", user="maya", channel="general", ts=said["ts"], action_id="x")
    assert refused["error"] == "action_not_found"


async def test_only_links_that_may_be_unfurled_are_fetched(control: Any, web: AsyncWebClient) -> None:
    await web.chat_postMessage(channel="general", text="https://quiet.example", unfurl_links=False, unfurl_media=False)
    await web.chat_postMessage(channel="general", text="https://loud.example")
    fetches = (await control.get("fetches"))["fetches"]
    assert [fetch["url"] for fetch in fetches] == ["https://loud.example"]


async def test_an_image_in_a_block_is_fetched_even_when_unfurling_is_off(control: Any, web: AsyncWebClient) -> None:
    image = {"type": "image", "image_url": "https://spy.example/a.png", "alt_text": "a"}
    await web.chat_postMessage(channel="general", text="look", blocks=[image], unfurl_links=False, unfurl_media=False)
    fetches = (await control.get("fetches"))["fetches"]
    assert [(fetch["url"], fetch["kind"]) for fetch in fetches] == [("https://spy.example/a.png", "image")]


async def test_a_permalink_opens_the_page(sim: SlackSim, control: Any, web: AsyncWebClient) -> None:
    said = await control.post("messages", user="maya", channel="general", text="hello")
    link = (await web.chat_getPermalink(channel=said["channel"], message_ts=said["ts"]))["permalink"]
    assert link == f"{sim.url}/archives/{said['channel']}/p{said['ts'].replace('.', '')}"


async def test_files_outside_of_the_page_are_not_served(sim: SlackSim, session: aiohttp.ClientSession) -> None:
    async with session.get(URL(f"{sim.url}/page/..%2fserver.py", encoded=True)) as answer:
        assert answer.status == 404
