"""Socket Mode: each envelope goes to one of the connections, and again until it is acknowledged."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from slacksim.deliveries import Attempt, Delivery, Timing
from slacksim.errors import SlackError
from slacksim.world import World

MAX_CONNECTIONS = 10
HEARTBEAT_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class Connection:
    """One open WebSocket. While it drains it gets nothing new."""

    socket: web.WebSocketResponse
    outgoing: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_draining: bool = False


@dataclass(slots=True)
class InFlight:
    """A delivery that waits for its acknowledgement."""

    delivery: Delivery
    attempt: Attempt
    connection: Connection
    timer: asyncio.TimerHandle


class SocketMode:
    """The app's WebSocket connections.

    Events that find no connection are kept and sent when one opens. A lost connection gives its unacknowledged
    envelopes to another at once; that costs none of the retries.

    Args:
        world: The workspace.
        timing: How long to wait for acknowledgements and between retries; read anew each time.
    """

    def __init__(self, world: World, timing: Timing) -> None:
        self.enabled = True
        self._world = world
        self._timing = timing
        self._tickets: set[str] = set()
        self._connections: list[Connection] = []
        self._turn = 0
        self._pending: deque[tuple[Delivery, str]] = deque()
        self._in_flight: dict[str, InFlight] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    def new_url(self, base: str) -> str:
        """A URL that one connection can use once."""
        if not self.enabled:
            raise SlackError("socket_mode_not_enabled")
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return f"{base}/link/?ticket={ticket}&app_id={self._world.app.id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Handles a WebSocket request until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="unknown or used ticket: call apps.connections.open")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        connection = Connection(socket)
        if len(self._connections) >= MAX_CONNECTIONS:
            await socket.send_str(_disconnect_frame("too_many_websockets"))
            await socket.close()
            return socket
        self._connections.append(connection)
        connection.outgoing.put_nowait(self._hello())
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(_write(connection))
                self._send_pending()
                await self._read(connection)
                writer.cancel()
        finally:
            self._lose(connection)
        return socket

    def _hello(self) -> str:
        hello = {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": self._world.app.id},
            "debug_info": {"host": "slacksim", "approximate_connection_time": 18_060},
        }
        return json.dumps(hello)

    async def _read(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type is WSMsgType.TEXT:
                try:
                    self._acknowledge(json.loads(frame.data))
                except ValueError:
                    continue  # Slack ignores what it cannot read

    def _acknowledge(self, answer: Any) -> None:
        envelope_id = answer.get("envelope_id") if isinstance(answer, dict) else None
        waiting = self._in_flight.pop(envelope_id, None) if isinstance(envelope_id, str) else None
        if waiting is None:
            return
        waiting.timer.cancel()
        waiting.attempt.outcome = "acked"
        waiting.delivery.acknowledge(answer.get("payload"))

    # Sending

    def deliver(self, delivery: Delivery) -> None:
        self._pending.append((delivery, ""))
        self._send_pending()

    def _send_pending(self) -> None:
        while self._pending and (connection := self._next_connection(self._pending[0][0])):
            delivery, reason = self._pending.popleft()
            self._send(delivery, reason, connection)

    def _next_connection(self, delivery: Delivery) -> Connection | None:
        """The connections take turns; a repeated delivery prefers another than the last one."""
        open_ones = [connection for connection in self._connections if not connection.is_draining]
        last = delivery.attempts[-1].to if delivery.attempts else ""
        candidates = [connection for connection in open_ones if connection.id != last] or open_ones
        if not candidates:
            return None
        self._turn += 1
        return candidates[self._turn % len(candidates)]

    def _send(self, delivery: Delivery, reason: str, connection: Connection) -> None:
        envelope = {
            "envelope_id": delivery.envelope_id,
            "type": delivery.type,
            "payload": delivery.payload,
            "accepts_response_payload": delivery.type != "events_api",
        }
        if delivery.type == "events_api":
            envelope |= {"retry_attempt": len(delivery.attempts), "retry_reason": reason}
        attempt = delivery.attempt(connection.id)
        connection.outgoing.put_nowait(json.dumps(envelope))
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._timing.ack_seconds, self._time_out, delivery.envelope_id)
        self._in_flight[delivery.envelope_id] = InFlight(delivery, attempt, connection, timer)

    def _time_out(self, envelope_id: str) -> None:
        waiting = self._in_flight.pop(envelope_id)
        waiting.attempt.outcome = "timeout"
        timeouts = sum(attempt.outcome == "timeout" for attempt in waiting.delivery.attempts)
        if timeouts > len(self._timing.retry_delays) or waiting.delivery.type != "events_api":
            waiting.delivery.give_up()
            return
        self._repeat_later(waiting.delivery, self._timing.retry_delays[timeouts - 1])

    def _repeat_later(self, delivery: Delivery, seconds: float) -> None:
        def repeat() -> None:
            self._timers.discard(timer)
            self._pending.append((delivery, "timeout"))
            self._send_pending()

        timer = asyncio.get_running_loop().call_later(seconds, repeat)
        self._timers.add(timer)

    def _lose(self, connection: Connection) -> None:
        self._connections.remove(connection)
        lost = [waiting for waiting in self._in_flight.values() if waiting.connection is connection]
        for waiting in reversed(lost):
            del self._in_flight[waiting.delivery.envelope_id]
            waiting.timer.cancel()
            waiting.attempt.outcome = "connection_lost"
            self._pending.appendleft((waiting.delivery, "connection_lost"))
        self._send_pending()

    # Ending connections

    def disconnect(self, reason: str) -> None:
        """Tells every connection to go; ``link_disabled`` also switches Socket Mode off.

        After a warning or a refresh request a connection lives on for ``warning_seconds``, but gets nothing new.
        """
        if reason == "link_disabled":
            self.enabled = False
        for connection in self._connections:
            connection.is_draining = True
            connection.outgoing.put_nowait(_disconnect_frame(reason))
            if reason == "link_disabled":
                connection.outgoing.put_nowait("")
                continue
            timer = asyncio.get_running_loop().call_later(
                self._timing.warning_seconds, connection.outgoing.put_nowait, ""
            )
            self._timers.add(timer)

    def forget(self) -> None:
        """Drops all that waits to be sent or acknowledged."""
        self._pending.clear()
        for waiting in self._in_flight.values():
            waiting.timer.cancel()
        self._in_flight.clear()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    async def aclose(self) -> None:
        self.forget()
        for connection in list(self._connections):
            await connection.socket.close()


def _disconnect_frame(reason: str) -> str:
    return json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "slacksim"}})


async def _write(connection: Connection) -> None:
    """Sends what is queued; an empty text closes the connection."""
    while text := await connection.outgoing.get():
        try:
            await connection.socket.send_str(text)
        except ConnectionError:
            return
    await connection.socket.close()
