"""A Slack that is not slacksim, and tells and takes no more than it must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from athenaeum.config import Config
from athenaeum.wiring.process import Role, Running, open_process
from support.product import QUESTION, RUNBOOK, Via, drained, until
from support.sparse_slack import APP_TOKEN, BOT_TOKEN, PERSON, ROOM, SECRET, Shown, SparseSlack

RETRY = "athenaeum events retry ID"


@asynccontextmanager
async def connected(slack: SparseSlack, database_url: str, home: Path, *, via: Via) -> AsyncGenerator[Running]:
    config = Config(
        database_url=database_url,
        home=home,
        port=0,
        embedder="none",
        model="offline",
        slack_bot_token=BOT_TOKEN,
        slack_app_token=APP_TOKEN if via == "socket" else None,
        slack_signing_secret=SECRET if via == "http" else None,
        slack_api_url=f"http://{slack.url}/api/",
    )
    async with open_process(config, set(Role)) as running:
        slack.events_url = f"{running.address}/slack/events" if via == "http" else ""
        tenant = await running.workspace.tenant()
        async with running.database.session(tenant.id) as session:
            # this Slack tells of nobody who they are, and strangers read nothing else
            await running.index.put(session, tenant.id, "docs", [replace(RUNBOOK, is_open=True)])
        await running.workspace.synced.wait()
        yield running


@pytest.fixture
async def slack() -> AsyncGenerator[SparseSlack]:
    async with SparseSlack() as server:
        yield server


@pytest.fixture(params=["socket", "http"])
async def running(
    request: pytest.FixtureRequest, slack: SparseSlack, database_url: str, home: Path
) -> AsyncGenerator[Running]:
    async with connected(slack, database_url, home, via=request.param) as process:
        yield process
        await assert_well(process)


@pytest.fixture
async def by_socket(slack: SparseSlack, database_url: str, home: Path) -> AsyncGenerator[Running]:
    async with connected(slack, database_url, home, via="socket") as process:
        yield process
        await assert_well(process)


async def has_spoken(slack: SparseSlack) -> bool:
    return bool(slack.messages)


async def assert_well(running: Running) -> None:
    async with httpx2.AsyncClient() as client:
        health = await client.get(f"{running.address}/health")
    assert (health.status_code, health.json()["status"]) == (200, "up")


async def the_answer(slack: SparseSlack, running: Running, event: dict[str, Any]) -> Shown:
    """The one message that the bot has shown, after all work is done."""
    await drained(running.database)
    (shown,) = slack.messages.values()
    assert (shown.channel, shown.thread_ts) == (event["channel"], event["ts"])
    assert RETRY in shown.states[-1]
    return shown


async def test_a_mention_is_answered_once(slack: SparseSlack, running: Running) -> None:
    asked = slack.mention(QUESTION)
    await slack.send(asked)
    shown = await the_answer(slack, running, asked)
    assert shown.states[0] == "Thinking…"
    await slack.send({**asked, "type": "message"})
    await the_answer(slack, running, asked)


async def test_a_direct_message_is_answered_once(slack: SparseSlack, running: Running) -> None:
    asked = slack.direct(QUESTION)
    await slack.send(asked)
    await the_answer(slack, running, asked)
    await slack.send(slack.echo(next(iter(slack.messages))))
    await the_answer(slack, running, asked)


async def test_a_question_that_comes_twice_at_the_same_moment_is_answered_once(
    slack: SparseSlack, running: Running
) -> None:
    asked = slack.mention(QUESTION)
    await slack.send(asked, copies=4)
    await the_answer(slack, running, asked)


async def test_a_question_from_the_near_future_is_answered(slack: SparseSlack, running: Running) -> None:
    asked = slack.mention(QUESTION, ahead=5)
    await slack.send(asked)
    await the_answer(slack, running, asked)


async def test_a_question_that_comes_with_the_first_connection_ever_is_taken(
    slack: SparseSlack, database_url: str, home: Path
) -> None:
    slack.slowness["auth.test"] = 0.3
    asked = slack.mention(QUESTION)
    async with asyncio.TaskGroup() as group:
        group.create_task(slack.send(asked))
        async with connected(slack, database_url, home, via="socket") as running:
            await until(lambda: has_spoken(slack))
            await drained(running.database)
    (shown,) = slack.messages.values()
    assert shown.thread_ts == asked["ts"]


async def test_lists_with_odd_things_in_them_do_not_keep_the_product_from_answering(
    slack: SparseSlack, database_url: str, home: Path
) -> None:
    room = {"id": ROOM, "is_member": True, "name": "room"}
    slack.methods |= {
        "users.list": lambda _: {"members": [{"id": None}, "nobody", {"id": PERSON, "profile": [], "name": 7}]},
        "conversations.list": lambda _: {"channels": [{"id": 7}, None, room], "response_metadata": None},
        "conversations.members": lambda _: {"members": [PERSON]},
        "conversations.history": lambda _: {"messages": [{"text": "no ts"}, [], {"ts": "1.0", "reply_count": 1}]},
    }
    async with connected(slack, database_url, home, via="socket") as running:
        asked = slack.mention(QUESTION)
        await slack.send(asked)
        await the_answer(slack, running, asked)
        await assert_well(running)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "too_many_websockets"])
async def test_a_connection_that_is_sent_away_comes_back(slack: SparseSlack, by_socket: Running, reason: str) -> None:
    await slack.send({"type": "hello_from_the_future", "channel": {"id": None}})
    await slack.disconnect(reason)
    asked = slack.mention(QUESTION)
    await slack.send(asked)
    await the_answer(slack, by_socket, asked)


async def test_a_thread_that_shows_new_messages_late_gets_no_second_one(slack: SparseSlack, by_socket: Running) -> None:
    slack.replies_after, slack.lost = 1.0, 1
    asked = slack.mention(QUESTION)
    await slack.send(asked)
    await the_answer(slack, by_socket, asked)


async def test_a_message_that_is_not_found_once_is_looked_for_again(slack: SparseSlack, by_socket: Running) -> None:
    slack.gone = once(lambda text: RETRY in text)
    asked = slack.mention(QUESTION)
    await slack.send(asked)
    await the_answer(slack, by_socket, asked)


async def test_an_answer_whose_placeholder_is_gone_is_posted_anew(slack: SparseSlack, by_socket: Running) -> None:
    slack.gone = lambda text: RETRY in text
    asked = slack.mention(QUESTION)
    await slack.send(asked)
    await drained(by_socket.database)
    placeholder, answer = slack.messages.values()
    assert RETRY not in placeholder.states[-1]
    assert RETRY in answer.states[-1]


def once(condition: Callable[[str], bool]) -> Callable[[str], bool]:
    met: list[str] = []

    def first(text: str) -> bool:
        if condition(text) and not met:
            met.append(text)
            return True
        return False

    return first
