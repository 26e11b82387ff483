"""Events over HTTP: signed requests, three retries, as Slack's Events API makes them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import aiohttp

from slacksim.deliveries import Delivery, Timing
from slacksim.world import World

MAX_CONCURRENT = 50


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 signature of a request."""
    signed = b":".join((b"v0", timestamp.encode(), body))
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class Webhook:
    """Delivers to the app's request URL.

    Args:
        world: The workspace; its app has the URL and the signing secret.
        timing: How long to wait for an answer and between retries; read anew each time.
    """

    def __init__(self, world: World, timing: Timing) -> None:
        self._world = world
        self._timing = timing
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()
        await self._group.__aexit__(None, None, None)
        if self._session is not None:
            await self._session.close()

    def forget(self) -> None:
        """Gives up what is on its way."""
        for task in self._tasks:
            task.cancel()

    def deliver(self, delivery: Delivery) -> None:
        task = self._group.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def verify(self, url: str) -> bool:
        """Whether the URL answers Slack's challenge."""
        challenge = {"type": "url_verification", "token": "unused", "challenge": "slacksim-challenge"}
        assert self._session is not None
        body = json.dumps(challenge).encode()
        try:
            async with self._session.post(url, data=body, headers=self._headers(body)) as answer:
                return answer.status == 200 and "slacksim-challenge" in await answer.text()
        except aiohttp.ClientError:
            return False

    async def _deliver(self, delivery: Delivery) -> None:
        reason = ""
        retries = self._timing.retry_delays if delivery.type == "events_api" else ()
        for delay in (0.0, *retries):
            await asyncio.sleep(delay)
            async with self._slots:
                reason = await self._try(delivery, reason)
            if not reason or delivery.given_up:
                return
        delivery.give_up()

    async def _try(self, delivery: Delivery, last_reason: str) -> str:
        """One attempt; the reason for another one, empty after success."""
        assert self._session is not None
        url = self._world.app.events_url
        attempt = delivery.attempt(url)
        body = _body(delivery)
        headers = self._headers(body, form=delivery.type != "events_api")
        if last_reason:
            headers |= {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": last_reason}
        timeout = aiohttp.ClientTimeout(total=self._timing.ack_seconds)
        try:
            async with self._session.post(url, data=body, headers=headers, timeout=timeout) as answer:
                attempt.detail = str(answer.status)
                delivery.response = await answer.text(errors="replace")
                if 200 <= answer.status < 300:
                    attempt.outcome = "acked"
                    delivery.acknowledge(delivery.response)
                    return ""
                if answer.headers.get("X-Slack-No-Retry") == "1":
                    delivery.give_up()
                reason = "http_error"
        except TimeoutError:
            reason = "http_timeout"
        except aiohttp.TooManyRedirects:
            reason = "too_many_redirects"
        except aiohttp.ClientError:
            reason = "connection_failed"
        attempt.outcome = "timeout" if reason == "http_timeout" else "failed"
        attempt.detail = attempt.detail or reason
        return reason

    def _headers(self, body: bytes, *, form: bool = False) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._world.app.signing_secret, timestamp, body),
        }


def _body(delivery: Delivery) -> bytes:
    if delivery.type == "slash_commands":
        return urlencode(delivery.payload).encode()
    payload = json.dumps(delivery.payload)
    return (urlencode({"payload": payload}) if delivery.type == "interactive" else payload).encode()
