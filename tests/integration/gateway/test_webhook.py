"""`POST /slack/events` as strangers and as Slack see it."""

from __future__ import annotations

import asyncio
import json
import time

import httpx2
import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.app import build_app
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.gateway.signature import sign
from support.slack_events import BOT, SECRET, Events, Store, Webhook, serving


async def test_a_signed_event_is_stored_before_it_is_acknowledged(
    webhook: Webhook, events: Events, store: Store
) -> None:
    answer = await webhook.send(events.mention(f"<@{BOT}> hello"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert len(await store.turns()) == 1


async def test_a_retry_is_taken_for_what_it_is_and_answered_once(
    webhook: Webhook, events: Events, store: Store
) -> None:
    mention = events.mention(f"<@{BOT}> hello")
    retry = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    answers = [await webhook.send(mention, **retry), await webhook.send(mention), await webhook.send(mention, **retry)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(await store.turns()) == 1


async def test_a_forged_signature_is_refused(webhook: Webhook, events: Events, store: Store) -> None:
    body = json.dumps(events.mention(f"<@{BOT}> hello")).encode()
    answer = await webhook.post(body, secret="guessed")

    assert answer.status_code == 401
    assert "SLACK_SIGNING_SECRET" in answer.text
    assert await store.messages() == []


@pytest.mark.parametrize("age", [301, -302])
async def test_a_replayed_or_future_request_is_refused(
    webhook: Webhook, events: Events, store: Store, age: int
) -> None:
    answer = await webhook.post(json.dumps(events.mention("hi")).encode(), now=time.time() - age)

    assert answer.status_code == 401
    assert await store.messages() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"x-slack-request-timestamp": ""},
        {"x-slack-signature": ""},
        {"x-slack-request-timestamp": "abc"},
        {"x-slack-request-timestamp": "1e9"},
        {"x-slack-request-timestamp": "9" * 400},
        {"x-slack-request-timestamp": "-1"},
        {"x-slack-signature": "v0="},
        {"x-slack-signature": "v1=00"},
        {"x-slack-signature": "v0=" + "g" * 64},
    ],
    ids=lambda headers: str(headers)[:60],
)
async def test_a_malformed_header_is_unauthorized_with_one_line(webhook: Webhook, headers: dict[str, str]) -> None:
    answer = await webhook.post(b'{"type": "event_callback"}', headers=headers)

    assert answer.status_code == 401
    assert answer.text
    assert "\n" not in answer.text


async def test_bytes_that_are_no_text_in_the_signature_are_unauthorized(webhook: Webhook) -> None:
    timestamp = str(int(time.time())).encode()
    headers = [(b"x-slack-request-timestamp", timestamp), (b"x-slack-signature", b"v0=\xff\xfe\xe9")]
    answer = await webhook.client.post("/slack/events", content=b"{}", headers=headers)

    assert answer.status_code == 401


async def test_a_missing_signature_is_unauthorized(webhook: Webhook) -> None:
    answer = await webhook.client.post("/slack/events", content=b"{}")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe{}", b'"text"', b"[1]", b"null", b"[" * 100_000, b'{"a": ' * 100_000, b"NaN"],
    ids=lambda body: str(body[:12]),
)
async def test_a_signed_body_that_is_no_json_object_is_a_bad_request(webhook: Webhook, body: bytes) -> None:
    answer = await webhook.post(body)

    assert answer.status_code == 400
    assert "\n" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"type": "event_callback"},
        {"type": "event_callback", "event": 5},
        {"type": "event_callback", "team_id": {"a": 1}, "event": {"type": "message"}},
        {"type": "event_callback", "team_id": "T0001", "event": {"type": "message", "channel": ["C"], "ts": 5}},
        {"type": "event_callback", "team_id": "T0001", "authorizations": "x", "event": {"type": "message"}},
        {"type": ["event_callback"]},
        {},
    ],
    ids=str,
)
async def test_a_signed_payload_of_the_wrong_form_is_acknowledged_and_left_out(
    webhook: Webhook, store: Store, body: dict[str, object]
) -> None:
    assert (await webhook.send(body)).status_code == 200
    assert await store.messages() == []


async def test_ten_megabytes_are_refused_without_being_kept(webhook: Webhook) -> None:
    answer = await webhook.post(b"x" * 10 * 1024 * 1024)

    assert answer.status_code == 413
    assert "1048576 bytes" in answer.text


async def test_a_body_of_exactly_the_limit_is_read(webhook: Webhook) -> None:
    body = json.dumps({"type": "event_callback", "pad": ""}).encode()
    body = body.replace(b'""', b'"' + b"x" * (1024 * 1024 - len(body)) + b'"')
    assert len(body) == 1024 * 1024
    assert (await webhook.post(body)).status_code == 200


async def test_the_challenge_is_answered_only_when_it_is_signed(webhook: Webhook) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c4"}).encode()

    signed = await webhook.post(body)
    assert (signed.status_code, signed.json()) == (200, {"challenge": "c4"})
    assert (await webhook.client.post("/slack/events", content=body)).status_code == 401


async def test_slacks_certificate_check_needs_no_signature(webhook: Webhook) -> None:
    answer = await webhook.client.post("/slack/events", data={"ssl_check": "1", "token": "unused"})
    assert answer.status_code == 200


async def test_a_rate_limit_notice_is_acknowledged(webhook: Webhook) -> None:
    notice = {"type": "app_rate_limited", "team_id": "T0001", "minute_rate_limited": 1518467820}
    assert (await webhook.send(notice)).status_code == 200


async def test_a_click_is_acknowledged(webhook: Webhook) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await webhook.post(b"payload=%7B%7D", headers=headers)).status_code == 200


async def test_a_gateway_without_a_secret_believes_nothing(listener: Listener, events: Events, store: Store) -> None:
    app = build_app(probes={}, listener=listener, signing_secret=None)
    body = json.dumps(events.mention("hi")).encode()
    timestamp = str(int(time.time()))
    async with serving(app) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        head = f"POST /slack/events HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
        signed = f"x-slack-request-timestamp: {timestamp}\r\nx-slack-signature: "
        writer.write((head + signed + sign("", timestamp=timestamp, body=body) + "\r\n\r\n").encode() + body)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 401")
    assert await store.messages() == []


async def test_a_database_that_is_away_asks_slack_to_come_back(tenant: Tenant, events: Events) -> None:
    gone = "postgresql://nobody@127.0.0.1:1/nothing"
    async with DatabaseConnection(gone) as database:
        app = build_app(probes={}, listener=Listener(database, Intake(database)), signing_secret=SECRET)
        body = json.dumps(events.mention(f"<@{BOT}> hello")).encode()
        async with serving(app) as url, httpx2.AsyncClient(base_url=url) as client:
            answer = await Webhook(url, client).post(body)

    assert answer.status_code == 503


@pytest.mark.parametrize("path", ["/slack/events"])
async def test_a_get_is_not_allowed(webhook: Webhook, path: str) -> None:
    assert (await webhook.client.get(path)).status_code == 405
