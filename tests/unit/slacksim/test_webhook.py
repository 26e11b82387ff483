from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from slacksim.server import SlackSim


class Receiver:
    """A request URL that answers with the given statuses, then with 200."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[web.Request, bytes]] = []

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((request, body))
        if b"url_verification" in body:
            return web.json_response({"challenge": json.loads(body)["challenge"]})
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200, headers=self.headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/slack/events", receiver.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield receiver
    await runner.cleanup()


async def test_requests_carry_a_valid_signature(
    sim: SlackSim, control: Any, receiver: Receiver, eventually: Any
) -> None:
    await control.post("events_url", url=receiver.url)
    await control.post("messages", user="maya", channel="general", text="hello")
    await eventually(lambda: bool(receiver.requests))
    request, body = receiver.requests[0]
    verifier = SignatureVerifier(sim.world.app.signing_secret)
    assert verifier.is_valid_request(body, dict(request.headers))
    assert json.loads(body)["event"]["text"] == "hello"


async def test_a_failed_delivery_is_retried_with_its_number_and_reason(
    sim: SlackSim, control: Any, receiver: Receiver, eventually: Any
) -> None:
    receiver.statuses = [500, 500]
    await control.post("events_url", url=receiver.url)
    await control.post("messages", user="maya", channel="general", text="hello")
    (delivery,) = sim.simulation.outbox.deliveries
    await eventually(lambda: delivery.acked)
    numbers = [request.headers.get("X-Slack-Retry-Num") for request, _ in receiver.requests]
    reasons = [request.headers.get("X-Slack-Retry-Reason") for request, _ in receiver.requests]
    assert numbers == [None, "1", "2"]
    assert reasons == [None, "http_error", "http_error"]


async def test_delivery_is_given_up_after_three_retries(
    sim: SlackSim, control: Any, receiver: Receiver, eventually: Any
) -> None:
    receiver.statuses = [500] * 9
    await control.post("events_url", url=receiver.url)
    await control.post("messages", user="maya", channel="general", text="hello")
    (delivery,) = sim.simulation.outbox.deliveries
    await eventually(lambda: delivery.given_up)
    assert len(receiver.requests) == 4


async def test_the_app_can_ask_for_no_retry(sim: SlackSim, control: Any, receiver: Receiver, eventually: Any) -> None:
    receiver.statuses, receiver.headers = [500], {"X-Slack-No-Retry": "1"}
    await control.post("events_url", url=receiver.url)
    await control.post("messages", user="maya", channel="general", text="hello")
    (delivery,) = sim.simulation.outbox.deliveries
    await eventually(lambda: delivery.given_up)
    assert len(receiver.requests) == 1


async def test_an_unreachable_url_is_retried_as_connection_failed(sim: SlackSim, control: Any, eventually: Any) -> None:
    await control.post("events_url", url="http://127.0.0.1:9/slack/events")
    await control.post("messages", user="maya", channel="general", text="hello")
    (delivery,) = sim.simulation.outbox.deliveries
    await eventually(lambda: delivery.given_up)
    assert {attempt.detail for attempt in delivery.attempts} == {"connection_failed"}


async def test_the_challenge_guards_a_new_url(control: Any, receiver: Receiver) -> None:
    assert (await control.post("events_url", url=receiver.url, verify=True))["ok"]
    refused = await control.post("events_url", url="http://127.0.0.1:9/", verify=True)
    assert refused["error"] == "url_verification_failed"


async def test_an_empty_url_goes_back_to_socket_mode(sim: SlackSim, control: Any, receiver: Receiver) -> None:
    await control.post("events_url", url=receiver.url)
    await control.post("events_url", url="")
    await control.post("messages", user="maya", channel="general", text="hello")
    (delivery,) = sim.simulation.outbox.deliveries
    assert delivery.via == "socket"
