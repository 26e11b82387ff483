from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slacksim.server import SlackSim


async def texts(control: Any) -> list[str]:
    return [message["text"] for message in (await control.get("messages?channel=general"))["messages"]]


async def test_drop_after_does_the_work_and_loses_the_answer(web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", method="chat.postMessage", mode="drop_after")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await web.chat_postMessage(channel="general", text="once")
    assert await texts(control) == ["once"]
    (call,) = (await control.get("calls?method=chat.postMessage"))["calls"]
    assert (call["status"], call["fault"]) == (0, "drop_after")


async def test_drop_before_does_nothing(web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", method="chat.postMessage", mode="drop_before")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await web.chat_postMessage(channel="general", text="never")
    assert await texts(control) == []


async def test_a_429_tells_how_long_to_wait_and_passes(web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", method="chat.postMessage", mode="429", times=2, retry_after=7)
    for _ in range(2):
        with pytest.raises(SlackApiError) as refused:
            await web.chat_postMessage(channel="general", text="later")
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "7"
        assert refused.value.response["error"] == "ratelimited"
    await web.chat_postMessage(channel="general", text="later")
    assert await texts(control) == ["later"]


async def test_a_server_error_does_nothing(web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", method="*", mode="500")
    with pytest.raises(SlackApiError) as refused:
        await web.chat_postMessage(channel="general", text="never")
    assert refused.value.response.status_code == 500
    assert await texts(control) == []


async def test_an_error_has_the_code_that_was_asked_for(web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", method="chat.update", mode="error", error="edit_window_closed")
    with pytest.raises(SlackApiError, match="edit_window_closed"):
        await web.chat_update(channel="general", ts="1.000000", text="x")


async def test_an_error_may_come_after_the_work_was_done(web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", method="chat.postMessage", mode="error_after", error="fatal_error")
    with pytest.raises(SlackApiError, match="fatal_error"):
        await web.chat_postMessage(channel="general", text="once")
    assert await texts(control) == ["once"]


async def test_a_slow_call_takes_longer_and_holds_up_no_other(web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", method="team.info", mode="slow", seconds=0.2)
    began = time.monotonic()
    slow = asyncio.create_task(web.team_info())
    await web.auth_test()
    assert not slow.done()
    await slow
    assert time.monotonic() - began >= 0.2


async def test_cleared_faults_do_nothing(sim: SlackSim, web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", method="auth.test", mode="500", times=5)
    sim.simulation.faults.clear()
    assert (await web.auth_test())["ok"]


async def test_without_client_msg_ids_a_repeated_post_appears_twice(web: AsyncWebClient, control: Any) -> None:
    await control.post("faults", mode="client_msg_id_off")
    for _ in range(2):
        await web.chat_postMessage(channel="general", text="again", client_msg_id="one")
    assert await texts(control) == ["again", "again"]


async def test_limits_answer_429_once_switched_on(web: AsyncWebClient, control: Any) -> None:
    await control.post("limits", enabled=True, per_minute={"auth.test": 1})
    await web.auth_test()
    with pytest.raises(SlackApiError) as refused:
        await web.auth_test()
    assert 1 <= int(refused.value.response.headers["Retry-After"]) <= 60
    calls = (await control.get("calls"))["calls"]
    assert [(call["status"], call["error"]) for call in calls] == [(200, None), (429, "ratelimited")]


async def test_calls_are_recorded_without_the_token(
    sim: SlackSim, control: Any, session: aiohttp.ClientSession
) -> None:
    form = {"token": sim.world.app.bot_token, "channel": "general"}
    async with session.post(f"{sim.api_url}conversations.info", data=form) as answer:
        assert (await answer.json())["ok"]
    (call,) = (await control.get("calls"))["calls"]
    assert (call["method"], call["arguments"]) == ("conversations.info", {"channel": "general"})


async def test_json_that_is_none_is_refused(sim: SlackSim, session: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "application/json"}
    async with session.post(f"{sim.api_url}auth.test", data="{", headers=headers) as answer:
        assert (await answer.json())["error"] == "invalid_json"
