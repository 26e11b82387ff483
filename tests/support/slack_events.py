"""Slack's side of the gateway for tests: payloads, signed requests, and a look at what was stored."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import uvicorn
from sqlalchemy import select, text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.models import SlackMessage, Turn
from athenaeum.domain.identity import TenantId, UserId
from athenaeum.gateway.listener import Listener, Receipt
from athenaeum.gateway.signature import sign
from athenaeum.slack.identity import Identity

SECRET = "s3cr3t-of-the-test"
BOT = UserId("UBOT00001")


IDENTITY = Identity(
    team_id="T0001",
    enterprise_id=None,
    team="Lantern",
    url="https://lantern.slack.test/",
    bot_user=BOT,
    bot_id="BBOT00001",
    app_id="A0001",
    scopes=frozenset(),
)
"""What `auth.test` would say."""


@dataclass(slots=True)
class Events:
    """Payloads as Slack would send them, with increasing ids and times."""

    team: str = "T0001"
    count: int = 0
    start: float = field(default_factory=time.time)

    def ts(self) -> str:
        self.count += 1
        return f"{self.start + self.count / 1000:.6f}"

    def callback(self, event: dict[str, Any], *, event_id: str | None = None, **outer: Any) -> dict[str, Any]:
        self.count += 1
        body = {"type": "event_callback", "team_id": self.team, "event_id": event_id or f"Ev{self.count:08d}"}
        return {**body, "event": {"event_ts": self.ts(), **event}, **outer}

    def message(self, text: str, *, ts: str | None = None, **fields: Any) -> dict[str, Any]:
        sent = {"type": "message", "channel": "C0001", "channel_type": "channel", "user": "U0001"}
        return self.callback({**sent, "text": text, "ts": ts or self.ts(), **fields})

    def mention(self, text: str, *, ts: str | None = None, **fields: Any) -> dict[str, Any]:
        sent = {"type": "app_mention", "channel": "C0001", "user": "U0001"}
        return self.callback({**sent, "text": text, "ts": ts or self.ts(), **fields})

    def edit(self, text: str, ts: str, *, before: str = "", **fields: Any) -> dict[str, Any]:
        edited_ts = self.ts()
        inner = {"type": "message", "user": "U0001", "ts": ts, **fields}
        now = {**inner, "text": text, "edited": {"user": "U0001", "ts": edited_ts}}
        where = {"type": "message", "subtype": "message_changed", "channel": "C0001", "channel_type": "channel"}
        return self.callback({**where, "ts": edited_ts, "message": now, "previous_message": {**inner, "text": before}})

    def deletion(self, ts: str) -> dict[str, Any]:
        where = {"type": "message", "subtype": "message_deleted", "channel": "C0001", "channel_type": "channel"}
        return self.callback({**where, "ts": self.ts(), "deleted_ts": ts})


@dataclass(frozen=True, slots=True)
class Store:
    """What a test asks the database about one tenant."""

    database: DatabaseConnection
    tenant: TenantId

    async def turns(self) -> list[Turn]:
        async with self.database.session(self.tenant) as session:
            return list(await session.scalars(select(Turn).order_by(Turn.message_ts)))

    async def messages(self) -> list[SlackMessage]:
        async with self.database.session(self.tenant) as session:
            return list(await session.scalars(select(SlackMessage).order_by(SlackMessage.sent_at)))

    async def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        async with self.database.session(self.tenant) as session:
            return [tuple(row) for row in await session.execute(text(statement), parameters)]


@asynccontextmanager
async def serving(app: Any) -> AsyncGenerator[str]:
    """Serve an application on a free port of this machine and give its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))
    server.install_signal_handlers = lambda: None  # pyright: ignore[reportAttributeAccessIssue]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells no other way
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await task


@dataclass(frozen=True, slots=True)
class Webhook:
    """The gateway's address, with requests that Slack would sign."""

    url: str
    client: httpx2.AsyncClient

    async def post(
        self, body: bytes, *, now: float | None = None, secret: str = SECRET, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        timestamp = str(int(now if now is not None else time.time()))
        signed = {
            "content-type": "application/json",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": sign(secret, timestamp=timestamp, body=body),
        }
        return await self.client.post("/slack/events", content=body, headers={**signed, **(headers or {})})

    async def send(self, payload: dict[str, Any], **headers: str) -> httpx2.Response:
        return await self.post(json.dumps(payload).encode(), headers=headers)


async def take(listener: Listener, *payloads: object) -> None:
    """Deliver as Slack does: what a busy machine does not take in time comes again."""
    for payload in payloads:
        async with asyncio.timeout(60):
            while await listener.receive(payload, transport="http") is not Receipt.TAKEN:
                pass
