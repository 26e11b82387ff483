from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slacksim.server import SlackSim

Event = tuple[str, dict[str, Any]]


class Page:
    """An open stream."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    async def next(self) -> Event:
        async with asyncio.timeout(10):
            name = (await self._content.readline()).decode().removeprefix("event: ").strip()
            data = json.loads((await self._content.readline()).decode().removeprefix("data: "))
            await self._content.readline()
        return name, data


@pytest.fixture
def watch(sim: SlackSim, session: aiohttp.ClientSession) -> Callable[[str], AbstractAsyncContextManager[Page]]:
    @asynccontextmanager
    async def opened(user: str) -> AsyncGenerator[Page]:
        async with session.get(f"{sim.url}/_sim/stream?user={user}") as answer:
            page = Page(answer.content)
            assert (await page.next())[0] == "hello"
            yield page

    return opened


async def test_a_page_sees_what_is_said_and_changed(watch: Any, control: Any) -> None:
    async with watch("maya") as page:
        said = await control.post("messages", user="tom", channel="general", text="frist")
        await control.post("edit", user="tom", channel="general", ts=said["ts"], text="first")
        await control.post("delete", user="tom", channel="general", ts=said["ts"])
        events = [await page.next() for _ in range(3)]
    assert [name for name, _ in events] == ["message", "changed", "deleted"]
    assert events[1][1]["message"]["text"] == "first"
    assert events[2][1]["ts"] == said["ts"]


async def test_a_reply_also_changes_its_parent(watch: Any, control: Any) -> None:
    said = await control.post("messages", user="tom", channel="general", text="question")
    async with watch("maya") as page:
        await control.post("messages", user="tom", channel="general", text="more", thread_ts=said["ts"])
        await page.next()
        name, data = await page.next()
    assert (name, data["message"]["ts"], data["message"]["reply_count"]) == ("changed", said["ts"], 1)


async def test_a_page_sees_nothing_that_its_person_may_not_read(watch: Any, control: Any) -> None:
    async with watch("tom") as page:
        await control.post("messages", user="maya", channel="secret", text="hush")
        await control.post("messages", user="maya", channel="athenaeum", text="a direct message")
        await control.post("messages", user="maya", channel="general", text="open")
        _, data = await page.next()
    assert data["message"]["text"] == "open"


async def test_an_ephemeral_is_seen_by_its_person_only(
    watch: Any, control: Any, web: AsyncWebClient, sim: SlackSim
) -> None:
    maya, general = sim.world.find_user("maya"), sim.world.find_channel("general")
    assert maya is not None
    assert general is not None
    async with watch("maya") as hers, watch("tom") as his:
        await web.chat_postEphemeral(channel=general.id, user=maya.id, text="psst")
        await control.post("messages", user="maya", channel="general", text="open")
        assert (await hers.next())[0] == "ephemeral"
        assert (await his.next())[0] == "message"


async def test_the_status_of_a_thread_is_seen_and_cleared_by_the_answer(
    watch: Any, control: Any, web: AsyncWebClient
) -> None:
    said = await control.post("messages", user="tom", channel="general", text="question")
    place = {"channel_id": said["channel"], "thread_ts": said["ts"]}
    async with watch("maya") as page:
        await web.assistant_threads_setStatus(**place, status="is thinking…")
        await web.chat_postMessage(channel=said["channel"], thread_ts=said["ts"], text="answer")
        statuses = [(await page.next())[1]["status"] for _ in range(2)]
    assert statuses == ["is thinking…", ""]


async def test_questions_to_begin_with_are_seen_at_once_and_of_a_thread_never(
    watch: Any, web: AsyncWebClient, sim: SlackSim
) -> None:
    maya = sim.world.find_user("maya")
    assert maya is not None
    channel, _ = sim.world.open_direct([maya.id, sim.world.app.user_id])
    said = await web.chat_postMessage(channel=channel.id, text="hello")
    prompts = [{"title": "Dates", "message": "When do we ship?"}]
    async with watch("maya") as page:
        await web.assistant_threads_setSuggestedPrompts(
            channel_id=channel.id, thread_ts=str(said["ts"]), prompts=[{"title": "No", "message": "No"}]
        )
        await web.assistant_threads_setSuggestedPrompts(channel_id=channel.id, prompts=prompts)
        assert await page.next() == (
            "suggestions",
            {"channel": channel.id, "suggestions": [{"text": "When do we ship?"}]},
        )
    with pytest.raises(SlackApiError, match="at most 4"):
        await web.assistant_threads_setSuggestedPrompts(channel_id=channel.id, prompts=prompts * 5)
