"""Bolt's AsyncApp over Socket Mode and over HTTP, as the product uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.people import Person
from slacksim.server import SlackSim
from support.slack_workspace import Workspace


class Handler(Protocol):
    async def connect_async(self) -> None: ...

    async def close_async(self) -> None: ...


def connected(app: AsyncApp, app_token: str) -> Handler:
    return cast("Handler", AsyncSocketModeHandler(app, app_token, web_client=app.client))


def on(app: AsyncApp, event: str, listener: Callable[..., Any]) -> None:
    register: Any = app.event(event)
    register(listener)


@pytest.fixture
def bolt(workspace: Workspace) -> AsyncApp:
    return AsyncApp(client=workspace.bot, process_before_response=True)


async def test_a_listener_answers_in_the_thread(workspace: Workspace, bolt: AsyncApp) -> None:
    answered = asyncio.Event()

    async def answer(event: dict[str, Any]) -> None:
        await workspace.bot.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="Yes.")
        answered.set()

    async def ignore() -> None:
        return

    on(bolt, "app_mention", answer)
    on(bolt, "message", ignore)
    handler = connected(bolt, workspace.app_token)
    await handler.connect_async()
    ts = await workspace.say(workspace.channel, f"<@{workspace.bot_user}> are you there?", None)
    async with asyncio.timeout(10):
        await answered.wait()
    thread = (await workspace.bot.conversations_replies(channel=workspace.channel, ts=ts))["messages"]
    await handler.close_async()
    assert [message["text"] for message in thread[1:]] == ["Yes."]


async def test_a_refreshed_connection_loses_no_message(workspace: Workspace, bolt: AsyncApp) -> None:
    if workspace.disconnect is None:
        pytest.skip("a real workspace refreshes connections when it likes")
    heard: list[str] = []
    complete = asyncio.Event()

    async def note(event: dict[str, Any]) -> None:
        heard.append(event["text"])
        if len(set(heard)) == 30:
            complete.set()

    on(bolt, "message", note)
    handler = connected(bolt, workspace.app_token)
    await handler.connect_async()
    for number in range(30):
        if number % 10 == 5:
            await workspace.disconnect()
        await workspace.say(workspace.channel, str(number), None)
    async with asyncio.timeout(20):
        await complete.wait()
    await handler.close_async()
    assert sorted(set(heard), key=int) == [str(number) for number in range(30)]


async def test_over_http_a_failed_listener_is_called_again() -> None:
    world = scenario.load()
    timing = Timing(retry_delays=(0.0, 0.0, 0.0))
    async with SlackSim(world, timing=timing) as sim:
        attempts: list[str | None] = []
        done = asyncio.Event()
        app = AsyncApp(
            token=world.app.bot_token,
            signing_secret=world.app.signing_secret,
            process_before_response=True,
        )
        app.client.base_url = sim.api_url

        async def fail_once(request: AsyncBoltRequest) -> None:
            attempts.append((request.headers.get("x-slack-retry-num") or [None])[0])
            if len(attempts) == 1:
                raise RuntimeError("the database is away")
            done.set()

        on(app, "message", fail_once)
        runner = web.AppRunner(app.web_app())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        world.app.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        maya = world.find_user("maya")
        assert maya is not None
        Person(world, maya).say("general", "hello")
        async with asyncio.timeout(10):
            await done.wait()
        await runner.cleanup()
    assert attempts == [None, "1"]


async def test_an_event_whose_listener_fails_is_delivered_again() -> None:
    world = scenario.load()
    timing = Timing(ack_seconds=1.0, retry_delays=(0.0, 0.0, 0.0))
    async with SlackSim(world, timing=timing) as sim:
        attempts: list[str] = []
        done = asyncio.Event()
        app = AsyncApp(token=world.app.bot_token, process_before_response=True)
        app.client.base_url = sim.api_url

        async def fail_once(body: dict[str, Any]) -> None:
            attempts.append(body["event_id"])
            if len(attempts) == 1:
                raise RuntimeError("the database is away")
            done.set()

        on(app, "message", fail_once)
        handler = connected(app, world.app.app_token)
        await handler.connect_async()
        maya = world.find_user("maya")
        assert maya is not None
        Person(world, maya).say("general", "hello")
        async with asyncio.timeout(10):
            await done.wait()
        await handler.close_async()
    assert len(attempts) == 2
    assert len(set(attempts)) == 1
