"""Slash commands and App Home, as Slack has them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web as server
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from slacksim.server import SlackSim

HOME: dict[str, Any] = {
    "type": "home",
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "Welcome."}},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "go", "value": "1", "text": {"type": "plain_text", "text": "Go"}}
            ],
        },
    ],
}


def published(answer: AsyncSlackResponse) -> dict[str, Any]:
    """The view that Slack says it shows now."""
    view = answer["view"]
    assert view is not None
    return view


@asynccontextmanager
async def listening(sim: SlackSim, answer: dict[str, Any] | None) -> AsyncGenerator[list[SocketModeRequest]]:
    """An app on Socket Mode that answers what it gets; None: it says nothing at all."""
    received: list[SocketModeRequest] = []
    app = sim.world.app
    web = AsyncWebClient(token=app.app_token, base_url=sim.api_url)
    client = SocketModeClient(app.app_token, web_client=web, auto_reconnect_enabled=False)

    async def take(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        received.append(request)
        if answer is not None:
            await socket.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=answer))

    client.socket_mode_request_listeners.append(take)
    try:
        client.wss_uri = await client.issue_new_wss_url()
        await client.connect()
        yield received
    finally:
        await client.close()
        tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await asyncio.wait([task for task in tasks if task is not None])


async def whispered(control: Any, user: str = "maya") -> list[str]:
    return [said["text"] for said in (await control.get(f"ephemerals?user={user}"))["ephemerals"]]


async def test_a_command_is_answered_in_its_acknowledgement_to_who_typed_it(sim: SlackSim, control: Any) -> None:
    async with listening(sim, {"text": "At your service."}) as received:
        await control.post("command", user="maya", channel="general", text="/athenaeum help me")

    (request,) = received
    maya = sim.world.find_user("maya")
    assert maya is not None
    assert request.type == "slash_commands"
    assert request.accepts_response_payload is True
    told = {name: request.payload[name] for name in ("command", "text", "user_id", "channel_name", "team_id")}
    assert told == {
        "command": "/athenaeum",
        "text": "help me",
        "user_id": maya.id,
        "channel_name": "general",
        "team_id": sim.world.team.id,
    }
    assert await whispered(control) == ["At your service."]
    assert await whispered(control, "tom") == []
    assert (await control.get("messages?channel=general"))["messages"] == []


async def test_a_command_without_an_answer_in_time_fails_and_is_not_repeated(sim: SlackSim, control: Any) -> None:
    await control.post("timing", ack_seconds=0.05)
    async with listening(sim, None) as received:
        await control.post("command", user="maya", channel="general", text="/athenaeum help")
    nobody = await control.post("command", user="maya", channel="general", text="/athenaeum help")

    assert len(received) == 1
    assert nobody["answered"] is False
    first, second = await whispered(control)
    assert "operation_timeout" in first
    assert "dispatch_failed" in second


async def test_a_response_url_answers_later_and_to_that_person(
    sim: SlackSim, control: Any, session: aiohttp.ClientSession
) -> None:
    async with listening(sim, {}) as received:
        await control.post("command", user="maya", channel="general", text="/athenaeum help")
    async with session.post(received[0].payload["response_url"], json={"text": "There it is."}) as answer:
        assert answer.status == 200

    assert await whispered(control) == ["There it is."]


async def test_over_http_a_command_is_a_signed_form_and_the_body_its_answer(sim: SlackSim, control: Any) -> None:
    requests: list[tuple[server.Request, bytes]] = []

    async def handle(request: server.Request) -> server.Response:
        requests.append((request, await request.read()))
        return server.json_response({"text": "By HTTP."})

    application = server.Application()
    application.router.add_post("/slack/events", handle)
    runner = server.AppRunner(application)
    await runner.setup()
    try:
        await server.TCPSite(runner, "127.0.0.1", 0).start()
        await control.post("events_url", url=f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
        await control.post("command", user="maya", channel="secret", text="/athenaeum ask why & how?")
    finally:
        await runner.cleanup()

    [(request, body)] = requests
    assert {name: values[0] for name, values in parse_qs(body.decode()).items()}["text"] == "ask why & how?"
    signed = b"v0:" + request.headers["X-Slack-Request-Timestamp"].encode() + b":" + body
    digest = hmac.new(sim.world.app.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    assert request.headers["X-Slack-Signature"] == f"v0={digest}"
    assert await whispered(control) == ["By HTTP."]


async def test_what_is_no_command_of_the_app_is_refused(control: Any) -> None:
    refused = await control.post("command", user="maya", channel="general", text="/remind me")

    assert (refused["status"], refused["error"]) == (400, "invalid_command")


async def test_a_home_is_published_to_one_person_opened_and_pressed(
    sim: SlackSim, control: Any, web: AsyncWebClient, eventually: Any
) -> None:
    maya = sim.world.find_user("maya")
    assert maya is not None
    first = await web.views_publish(user_id=maya.id, view=HOME)
    assert (await control.get("home?user=tom"))["view"] is None
    assert (await control.get("home?user=maya"))["view"]["blocks"][0]["text"]["text"] == "Welcome."

    async with listening(sim, {}) as received:
        await control.post("home", user="maya")
        await control.post("home", user="maya", action_id="go")
        await eventually(lambda: len(received) == 2)

    told: list[dict[str, Any]] = [request.payload for request in received]
    opened, pressed = sorted(told, key=lambda payload: "actions" in payload)
    assert (opened["event"]["type"], opened["event"]["tab"], opened["event"]["user"]) == (
        "app_home_opened",
        "home",
        maya.id,
    )
    assert opened["event"]["view"]["hash"] == published(first)["hash"]
    assert (pressed["container"]["type"], pressed["actions"][0]["value"]) == ("view", "1")
    assert "channel" not in pressed


async def test_a_home_that_has_changed_since_is_not_overwritten(sim: SlackSim, web: AsyncWebClient) -> None:
    maya = sim.world.find_user("maya")
    assert maya is not None
    first = await web.views_publish(user_id=maya.id, view=HOME)
    await web.views_publish(user_id=maya.id, view=HOME, hash=published(first)["hash"])

    with pytest.raises(SlackApiError, match="hash_conflict"):
        await web.views_publish(user_id=maya.id, view=HOME, hash=published(first)["hash"])
