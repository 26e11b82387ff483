"""Socket Mode with the real slack-sdk client against the simulated Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psycopg
import pytest
from psycopg import sql

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import UserId
from athenaeum.gateway.app import build_app
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.gateway.socket_mode import SocketMode
from athenaeum.observability.health import Status
from athenaeum.tenants import register
from slacksim.deliveries import Timing
from slacksim.people import Person
from slacksim.server import SlackSim
from slacksim.world import World
from support.database import PostgresServer
from support.slack_events import IDENTITY, Store, serving

Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
async def store(database: DatabaseConnection, world: World) -> Store:
    app = world.app
    installation = replace(IDENTITY, team_id=world.team.id, bot_user=UserId(app.user_id), bot_id=app.bot_id)
    return Store(database, (await register.bind(database, installation)).id)


@asynccontextmanager
async def running(socket: SocketMode) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(socket.run())
        try:
            yield
        finally:
            task.cancel()


@pytest.fixture
async def socket(database: DatabaseConnection, store: Store, sim: SlackSim) -> AsyncGenerator[SocketMode]:
    listener = Listener(database, Intake(database))
    mode = SocketMode(sim.world.app.app_token, listener, base_url=sim.api_url)
    async with running(mode):
        async with asyncio.timeout(10):
            await mode.wait_until_connected()
        yield mode


async def control(sim: SlackSim, path: str, **body: Any) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{sim.url}/_sim/{path}", json=body) as answer:
        assert answer.status == 200, await answer.text()


def ask(world: World, user: str, channel: str, question: str, *, thread_ts: str | None = None) -> str:
    return Person.named(world, user).say(channel, f"<@{world.app.user_id}> {question}", thread_ts=thread_ts).ts


def acknowledged(sim: SlackSim) -> bool:
    deliveries = sim.simulation.outbox.deliveries
    return bool(deliveries) and all(delivery.acked for delivery in deliveries)


def settled_with(sim: SlackSim, store: Store, *, turns: int) -> Callable[[], Awaitable[bool]]:
    async def settled() -> bool:
        return acknowledged(sim) and len(await store.turns()) == turns

    return settled


@asynccontextmanager
async def unreachable_database(postgres: PostgresServer, url: str) -> AsyncGenerator[None]:
    """Throw everybody out of a database and let nobody in."""
    name = sql.Identifier(urlsplit(url).path.lstrip("/"))
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(allow.format(name, sql.SQL("false")))
        admin.execute(drop, [urlsplit(url).path.lstrip("/")])
        try:
            yield
        finally:
            admin.execute(allow.format(name, sql.SQL("true")))


async def test_mentions_in_a_channel_and_a_thread_and_a_direct_message_open_a_turn_each(
    socket: SocketMode, sim: SlackSim, world: World, store: Store, eventually: Eventually
) -> None:
    root = Person.named(world, "tom").say("general", "Shall we?").ts
    in_channel = ask(world, "maya", "general", "one?")
    in_thread = ask(world, "tom", "general", "two?", thread_ts=root)
    direct_channel = next(channel.id for channel in world.channels.values() if channel.kind == "im")
    direct = Person.named(world, "maya").say(direct_channel, "three?").ts

    await eventually(settled_with(sim, store, turns=3))
    turns = {turn.message_ts: (turn.question, turn.thread_ts) for turn in await store.turns()}
    assert turns == {in_channel: ("one?", in_channel), in_thread: ("two?", root), direct: ("three?", direct)}
    assert (await socket.probe()).status is Status.UP


async def test_what_a_locked_database_cannot_store_is_delivered_again(
    socket: SocketMode, sim: SlackSim, world: World, store: Store, eventually: Eventually
) -> None:
    with psycopg.connect(store.database.url) as owner:
        owner.execute("LOCK TABLE slack_messages IN ACCESS EXCLUSIVE MODE")
        ask(world, "maya", "general", "are you there?")

        async def tried_again() -> bool:
            return any(len(delivery.attempts) > 1 for delivery in sim.simulation.outbox.deliveries)

        await eventually(tried_again)
        assert not acknowledged(sim)

    await eventually(settled_with(sim, store, turns=1))


async def test_nothing_is_lost_while_the_database_is_down(
    socket: SocketMode, sim: SlackSim, world: World, store: Store, eventually: Eventually, postgres: PostgresServer
) -> None:
    async with unreachable_database(postgres, store.database.url):
        ask(world, "maya", "general", "one?")
        ask(world, "tom", "general", "two?")

        async def tried_again() -> bool:
            return all(len(delivery.attempts) > 1 for delivery in sim.simulation.outbox.deliveries)

        await eventually(tried_again)
        assert not any(delivery.acked for delivery in sim.simulation.outbox.deliveries)

    await eventually(settled_with(sim, store, turns=2))


# A session waits two seconds for a database that may come back; Slack waits three.
@pytest.mark.parametrize("timing", [Timing(ack_seconds=3, retry_delays=(0.1,) * 40)], ids=["patient"])
async def test_over_http_a_database_that_is_down_is_503_and_nothing_is_lost(
    database: DatabaseConnection,
    sim: SlackSim,
    world: World,
    store: Store,
    eventually: Eventually,
    postgres: PostgresServer,
) -> None:
    listener = Listener(database, Intake(database))
    async with serving(build_app(probes={}, listener=listener, signing_secret=world.app.signing_secret)) as url:
        await control(sim, "events_url", url=f"{url}/slack/events")
        async with unreachable_database(postgres, store.database.url):
            ask(world, "maya", "general", "one?")

            async def refused() -> bool:
                attempts = [attempt for delivery in sim.simulation.outbox.deliveries for attempt in delivery.attempts]
                return len(attempts) > 1 and {attempt.detail for attempt in attempts} <= {"503", ""}

            await eventually(refused)
        await eventually(settled_with(sim, store, turns=1))


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_nothing_is_lost_when_slack_moves_the_connection(
    socket: SocketMode, sim: SlackSim, world: World, store: Store, eventually: Eventually, reason: str
) -> None:
    for number in range(3):
        ask(world, "maya", "general", f"before {number}")
    await control(sim, "disconnect", reason=reason)
    for number in range(3):
        ask(world, "maya", "general", f"after {number}")

    await eventually(settled_with(sim, store, turns=6))
    assert (await socket.probe()).status is Status.UP


async def test_a_disabled_socket_mode_is_down_by_name(
    socket: SocketMode, sim: SlackSim, eventually: Eventually
) -> None:
    await control(sim, "disconnect", reason="link_disabled")

    async def down() -> bool:
        return (await socket.probe()).status is Status.DOWN

    await eventually(down)
    assert "socket mode disabled" in (await socket.probe()).detail
    # one to connect at first, one by slack_sdk when it was told to disconnect, and no storm of ours
    assert len(sim.simulation.calls.of("apps.connections.open")) <= 3


async def test_it_comes_back_when_socket_mode_is_switched_on_again(
    socket: SocketMode, sim: SlackSim, eventually: Eventually
) -> None:
    await control(sim, "disconnect", reason="link_disabled")

    async def down() -> bool:
        return (await socket.probe()).status is Status.DOWN

    await eventually(down)
    await control(sim, "socket_mode", enabled=True)

    async def up() -> bool:
        return (await socket.probe()).status is Status.UP

    await eventually(up)


async def test_a_wrong_app_token_is_named(database: DatabaseConnection, sim: SlackSim, eventually: Eventually) -> None:
    listener = Listener(database, Intake(database))
    mode = SocketMode("xapp-" + "1-wrong", listener, base_url=sim.api_url)
    async with running(mode):

        async def named() -> bool:
            return "SLACK_APP_TOKEN" in (await mode.probe()).detail

        await eventually(named)


async def test_a_slack_that_is_away_is_found_when_it_is_back(
    database: DatabaseConnection, world: World, store: Store, eventually: Eventually
) -> None:
    async with SlackSim(world) as sim:
        port = int(sim.url.rsplit(":", 1)[1])
        mode = SocketMode(world.app.app_token, Listener(database, Intake(database)), base_url=sim.api_url)
        await sim.aclose()
        async with running(mode):

            async def unreachable() -> bool:
                return "not reachable" in (await mode.probe()).detail

            await eventually(unreachable)
            async with SlackSim(world, port=port), asyncio.timeout(15):
                await mode.wait_until_connected()
                ask(world, "maya", "general", "back?")

                async def stored() -> bool:
                    return len(await store.turns()) == 1

                await eventually(stored)
