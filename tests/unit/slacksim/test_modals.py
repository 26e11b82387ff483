"""Modals: opened by a click, filled by a person, and sent to an app that answers what follows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web as http
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from slacksim import views
from slacksim.server import SlackSim

REASON = {
    "type": "input",
    "block_id": "why",
    "label": {"type": "plain_text", "text": "What was wrong?"},
    "element": {"type": "plain_text_input", "action_id": "reason", "multiline": True},
}
KIND = {
    "type": "input",
    "block_id": "kind",
    "optional": True,
    "label": {"type": "plain_text", "text": "Kind"},
    "element": {
        "type": "radio_buttons",
        "action_id": "sort",
        "options": [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("old", "wrong")],
    },
}
MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "reason",
    "private_metadata": "turn 7",
    "title": {"type": "plain_text", "text": "Not helpful"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [REASON, KIND],
}


class Listener:
    """An app that keeps the interactions it is told of, and acknowledges submissions with the next of `answers`."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []

    def take(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        self.heard.append(payload)
        return self.answers.pop(0) if payload["type"] == "view_submission" and self.answers else None

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [payload for payload in self.heard if payload["type"] == kind]

    async def over_socket(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            envelope = json.loads(frame.data)
            if envelope["type"] == "hello":
                continue
            answer = self.take(envelope["payload"]) if envelope["type"] == "interactive" else None
            told = {"envelope_id": envelope["envelope_id"], **({"payload": answer} if answer else {})}
            await socket.send_str(json.dumps(told))

    async def over_http(self, request: http.Request) -> http.Response:
        answer = self.take(json.loads(parse_qs((await request.read()).decode())["payload"][0]))
        return http.json_response(answer) if answer else http.Response()


@pytest.fixture
async def listener(sim: SlackSim, web: AsyncWebClient, session: aiohttp.ClientSession) -> AsyncIterator[Listener]:
    opened = await web.apps_connections_open(app_token=sim.world.app.app_token)
    listener = Listener()
    async with session.ws_connect(str(opened["url"])) as socket, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(listener.over_socket(socket))
        yield listener
        task.cancel()


def view_of(answer: AsyncSlackResponse) -> dict[str, Any]:
    """The view that a call gave."""
    view: Any = answer["view"]
    return view


@pytest.fixture
def click(sim: SlackSim, control: Any, web: AsyncWebClient) -> Callable[[], Any]:
    """Maya presses a button; gives the trigger_id that the app got with it."""

    async def pressed() -> str:
        button = {"type": "button", "action_id": "why", "text": {"type": "plain_text", "text": "Why?"}}
        posted = await web.chat_postMessage(
            channel="general", text="x", blocks=[{"type": "actions", "elements": [button]}]
        )
        await control.post("click", user="maya", channel="general", ts=posted["ts"], action_id="why")
        return sim.simulation.outbox.deliveries[-1].payload["trigger_id"]

    return pressed


async def test_a_click_opens_a_modal_once(web: AsyncWebClient, control: Any, click: Any) -> None:
    trigger = await click()
    opened = await web.views_open(trigger_id=trigger, view=MODAL)
    standing = (await control.get("view?user=maya"))["view"]
    assert view_of(opened)["id"] == view_of(opened)["root_view_id"] == standing["id"]
    assert (await control.get("view?user=tom"))["view"] is None
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await web.views_open(trigger_id=trigger, view=MODAL)


async def test_a_trigger_ends_after_three_seconds(
    web: AsyncWebClient, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "TRIGGER_SECONDS", -1.0)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await web.views_open(trigger_id=await click(), view=MODAL)
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await web.views_open(trigger_id="1.2.3", view=MODAL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "home"},
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"title": None},
        {"submit": None},
        {"private_metadata": "x" * 3_001},
        {"blocks": [{**REASON, "element": {"type": "plain_text_input"}}]},
        {"blocks": [{"type": "divider"}] * 101},
    ],
)
async def test_a_modal_that_slack_would_refuse_is_refused(
    web: AsyncWebClient, click: Any, wrong: dict[str, Any]
) -> None:
    with pytest.raises(SlackApiError, match=r"invalid_arguments|invalid_blocks"):
        await web.views_open(trigger_id=await click(), view=MODAL | wrong)


async def test_what_is_filled_in_reaches_the_app_and_closes_the_modal(
    web: AsyncWebClient, control: Any, click: Any, listener: Listener
) -> None:
    opened = await web.views_open(trigger_id=await click(), view=MODAL)
    filled = {"user": "maya", "view_id": view_of(opened)["id"], "values": {"reason": "It is old.", "sort": "old"}}
    assert (await control.post("submit", **filled))["errors"] == {}
    [told] = listener.of("view_submission")
    assert (told["view"]["callback_id"], told["view"]["private_metadata"]) == ("reason", "turn 7")
    values = told["view"]["state"]["values"]
    assert values["why"]["reason"] == {"type": "plain_text_input", "value": "It is old."}
    assert values["kind"]["sort"]["selected_option"]["value"] == "old"
    assert (await control.get("view?user=maya"))["view"] is None


async def test_a_submission_over_http_is_signed_and_answered_in_the_body(
    sim: SlackSim, web: AsyncWebClient, control: Any, click: Any
) -> None:
    listener, seen = Listener(), list[bool]()
    verifier = SignatureVerifier(sim.world.app.signing_secret)

    async def receive(request: http.Request) -> http.Response:
        seen.append(verifier.is_valid_request(await request.read(), dict(request.headers)))
        return await listener.over_http(request)

    application = http.Application()
    application.router.add_post("/slack/events", receive)
    runner = http.AppRunner(application)
    await runner.setup()
    try:
        await http.TCPSite(runner, "127.0.0.1", 0).start()
        opened = await web.views_open(trigger_id=await click(), view=MODAL)
        sim.world.app.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        listener.answers = [{"response_action": "errors", "errors": {"why": "Say more."}}]
        filled = {"user": "maya", "view_id": view_of(opened)["id"], "values": {"reason": "No."}}
        refused = await control.post("submit", **filled)
    finally:
        await runner.cleanup()
    assert (refused["errors"], seen) == ({"why": "Say more."}, [True])
    assert (await control.get("view?user=maya"))["view"]["id"] == view_of(opened)["id"]


async def test_an_answer_changes_the_modal_stacks_another_or_clears_all(
    web: AsyncWebClient, control: Any, click: Any, listener: Listener
) -> None:
    first = view_of(await web.views_open(trigger_id=await click(), view=MODAL))["id"]
    listener.answers = [
        {"response_action": "update", "view": MODAL | {"callback_id": "changed"}},
        {"response_action": "push", "view": MODAL | {"callback_id": "second"}},
        {"response_action": "clear"},
    ]
    shown: list[tuple[str, str | None] | None] = []
    for _ in range(3):
        top = (await control.get("view?user=maya"))["view"]["id"]
        await control.post("submit", user="maya", view_id=top, values={"reason": "x"})
        view = (await control.get("view?user=maya"))["view"]
        shown.append(view and (view["callback_id"], view["previous_view_id"]))
    assert shown == [("changed", None), ("second", first), None]


async def test_the_app_changes_a_modal_as_long_as_it_has_seen_the_newest(
    web: AsyncWebClient, control: Any, click: Any
) -> None:
    view = view_of(await web.views_open(trigger_id=await click(), view=MODAL | {"external_id": "mine"}))
    changed = await web.views_update(external_id="mine", hash=view["hash"], view=MODAL | {"callback_id": "changed"})
    assert view_of(changed)["callback_id"] == (await control.get("view?user=maya"))["view"]["callback_id"] == "changed"
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await web.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
    with pytest.raises(SlackApiError, match="not_found"):
        await web.views_update(view_id="VNONE", view=MODAL)


async def test_three_modals_stand_on_each_other_at_most(web: AsyncWebClient, click: Any) -> None:
    await web.views_open(trigger_id=await click(), view=MODAL)
    await web.views_push(trigger_id=await click(), view=MODAL)
    await web.views_push(trigger_id=await click(), view=MODAL)
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await web.views_push(trigger_id=await click(), view=MODAL)


async def test_an_app_that_asks_for_it_hears_that_a_modal_was_left(
    web: AsyncWebClient, control: Any, click: Any, listener: Listener, eventually: Any
) -> None:
    quiet = view_of(await web.views_open(trigger_id=await click(), view=MODAL))["id"]
    await control.post("leave", user="maya", view_id=quiet)
    told = view_of(await web.views_open(trigger_id=await click(), view=MODAL | {"notify_on_close": True}))["id"]
    await control.post("leave", user="maya", view_id=told)
    await eventually(lambda: bool(listener.of("view_closed")))
    assert [payload["view"]["id"] for payload in listener.of("view_closed")] == [told]
    assert (await control.get("view?user=maya"))["view"] is None


async def test_a_button_in_a_modal_gives_leave_for_another(
    web: AsyncWebClient, control: Any, click: Any, listener: Listener, eventually: Any
) -> None:
    more = {"type": "button", "action_id": "more", "value": "7", "text": {"type": "plain_text", "text": "More"}}
    blocks = [REASON, {"type": "actions", "elements": [more]}]
    view = view_of(await web.views_open(trigger_id=await click(), view=MODAL | {"blocks": blocks}))
    await control.post("press", user="maya", view_id=view["id"], action_id="more")
    await eventually(lambda: any("view" in payload for payload in listener.of("block_actions")))
    pressed = listener.of("block_actions")[-1]
    assert (pressed["container"]["type"], pressed["actions"][0]["value"]) == ("view", "7")
    pushed = await web.views_push(trigger_id=pressed["trigger_id"], view=MODAL)
    assert view_of(pushed)["previous_view_id"] == view["id"]


async def test_a_modal_is_not_sent_unfilled_nor_closed_unheard(
    sim: SlackSim, web: AsyncWebClient, control: Any, click: Any
) -> None:
    sim.simulation.timing.ack_seconds = -0.99  # a second more is waited, since nobody may be connected
    view = view_of(await web.views_open(trigger_id=await click(), view=MODAL))["id"]
    empty = await control.post("submit", user="maya", view_id=view, values={"sort": "old"})
    assert (empty["status"], empty["error"], empty["blocks"]) == (400, "input_missing", ["why"])
    unheard = await control.post("submit", user="maya", view_id=view, values={"reason": "It is old."})
    assert (unheard["status"], unheard["error"]) == (502, "app_did_not_answer")
    assert (await control.get("view?user=maya"))["view"]["id"] == view
