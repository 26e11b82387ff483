from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import chain
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slacksim.server import SlackSim

Connect = Callable[[], Awaitable["Listener"]]


class Listener:
    """One raw Socket Mode connection, which acknowledges only when told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, hello: dict[str, Any]) -> None:
        self.socket = socket
        self.hello = hello

    async def receive(self) -> dict[str, Any]:
        return await self.socket.receive_json(timeout=10)

    async def acknowledge(self, envelope: dict[str, Any]) -> None:
        await self.socket.send_str(json.dumps({"envelope_id": envelope["envelope_id"]}))


@pytest.fixture
async def connect(sim: SlackSim, web: AsyncWebClient, session: aiohttp.ClientSession) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as stack:

        async def opened() -> Listener:
            answer = await web.apps_connections_open(app_token=sim.world.app.app_token)
            socket = await stack.enter_async_context(session.ws_connect(str(answer["url"])))
            return Listener(socket, await socket.receive_json(timeout=10))

        yield opened


async def test_hello_counts_the_connections(connect: Connect) -> None:
    first, second = await connect(), await connect()
    assert (first.hello["num_connections"], second.hello["num_connections"]) == (1, 2)


async def test_a_url_works_once(sim: SlackSim, web: AsyncWebClient, session: aiohttp.ClientSession) -> None:
    answer = await web.apps_connections_open(app_token=sim.world.app.app_token)
    async with session.ws_connect(str(answer["url"])):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(str(answer["url"]))


async def test_events_wait_until_somebody_is_connected(connect: Connect, control: Any) -> None:
    said = await control.post("messages", user="maya", channel="general", text="anyone?")
    listener = await connect()
    envelope = await listener.receive()
    assert envelope["payload"]["event"]["ts"] == said["ts"]


async def test_each_envelope_goes_to_one_connection(connect: Connect, control: Any) -> None:
    listeners = [await connect(), await connect()]
    for number in range(6):
        await control.post("messages", user="maya", channel="general", text=str(number))
    got: list[list[str]] = []
    for listener in listeners:
        envelopes = [await listener.receive() for _ in range(3)]
        for envelope in envelopes:
            await listener.acknowledge(envelope)
        got.append([envelope["payload"]["event"]["text"] for envelope in envelopes])
    assert sorted(chain.from_iterable(got)) == ["0", "1", "2", "3", "4", "5"]


async def test_an_unacknowledged_envelope_comes_again_on_the_other_connection(connect: Connect, control: Any) -> None:
    await control.post("timing", ack_seconds=0.1)
    listeners = [await connect(), await connect()]
    for text in ("one", "two"):
        await control.post("messages", user="maya", channel="general", text=text)
    seen: list[set[str]] = []
    for listener in listeners:
        first, again = await listener.receive(), await listener.receive()
        assert (first["retry_attempt"], again["retry_attempt"]) == (0, 1)
        assert again["retry_reason"] == "timeout"
        await listener.acknowledge(again)
        seen.append({first["envelope_id"], again["envelope_id"]})
    assert seen[0] == seen[1]
    assert len(seen[0]) == 2


async def test_redelivery_ends_after_three_retries(
    sim: SlackSim, connect: Connect, control: Any, eventually: Any
) -> None:
    await control.post("timing", ack_seconds=0.05)
    listener = await connect()
    await control.post("messages", user="maya", channel="general", text="hello")
    attempts = [(await listener.receive())["retry_attempt"] for _ in range(4)]
    assert attempts == [0, 1, 2, 3]
    (delivery,) = sim.simulation.outbox.deliveries
    await eventually(lambda: delivery.given_up)
    assert not delivery.acked


async def test_an_acknowledged_envelope_does_not_come_again(
    sim: SlackSim, connect: Connect, control: Any, eventually: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await control.post("timing", ack_seconds=0.5)
    listener = await connect()
    await control.post("messages", user="maya", channel="general", text="hello")
    await listener.acknowledge(await listener.receive())
    (delivery,) = sim.simulation.outbox.deliveries
    await eventually(lambda: delivery.acked)
    assert [attempt.outcome for attempt in delivery.attempts] == ["acked"]
    with pytest.raises(TimeoutError):
        await listener.socket.receive_json(timeout=0.7)
    assert caplog.records == []


async def test_an_acknowledgement_may_come_by_another_connection(
    sim: SlackSim, connect: Connect, control: Any, eventually: Any
) -> None:
    first = await connect()
    await control.post("messages", user="maya", channel="general", text="hello")
    envelope = await first.receive()
    await (await connect()).acknowledge(envelope)
    (delivery,) = sim.simulation.outbox.deliveries
    await eventually(lambda: delivery.acked)


async def test_a_lost_connection_hands_its_envelopes_to_the_next(connect: Connect, control: Any) -> None:
    first = await connect()
    await control.post("messages", user="maya", channel="general", text="hello")
    envelope = await first.receive()
    await first.socket.close()
    again = await (await connect()).receive()
    assert (again["envelope_id"], again["retry_attempt"]) == (envelope["envelope_id"], 1)


async def test_after_a_warning_the_connection_gets_nothing_new_and_closes(connect: Connect, control: Any) -> None:
    old = await connect()
    await control.post("disconnect", reason="warning")
    assert (await old.receive())["reason"] == "warning"
    new = await connect()
    for text in ("one", "two"):
        await control.post("messages", user="maya", channel="general", text=text)
    assert [(await new.receive())["payload"]["event"]["text"] for _ in range(2)] == ["one", "two"]
    assert (await old.socket.receive(timeout=10)).type is aiohttp.WSMsgType.CLOSE


async def test_a_disabled_link_opens_no_connection_until_it_is_enabled(
    sim: SlackSim, connect: Connect, control: Any, web: AsyncWebClient
) -> None:
    await connect()
    await control.post("disconnect", reason="link_disabled")
    with pytest.raises(SlackApiError, match="socket_mode_not_enabled"):
        await web.apps_connections_open(app_token=sim.world.app.app_token)
    await control.post("socket_mode", enabled=True)
    assert (await connect()).hello["type"] == "hello"


async def test_any_event_can_be_delivered(sim: SlackSim, connect: Connect, control: Any) -> None:
    listener = await connect()
    event = {"type": "agent_session_stopped", "channel": "C1", "user": "U1"}
    await control.post("deliver", event=event)
    payload = (await listener.receive())["payload"]
    assert (payload["event"], payload["team_id"]) == (event, sim.world.team.id)
    assert payload["event_id"].startswith("Ev")


async def test_a_delivery_can_be_repeated_four_times(connect: Connect, control: Any) -> None:
    listener = await connect()
    await control.post("messages", user="maya", channel="general", text="hello")
    first = await listener.receive()
    await listener.acknowledge(first)
    event_id = first["payload"]["event_id"]
    await control.post("deliver", event_id=event_id, times=4)
    repeated = [await listener.receive() for _ in range(4)]
    assert {envelope["payload"]["event_id"] for envelope in repeated} == {event_id}
    assert len({envelope["envelope_id"] for envelope in repeated}) == 4
