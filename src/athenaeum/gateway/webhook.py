"""`POST /slack/events`: Slack's events and clicks over HTTP, for any request that may reach a public address."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.requests import ClientDisconnect

from athenaeum.errors import AthenaeumError
from athenaeum.gateway.listener import Listener, Receipt
from athenaeum.gateway.signature import Forged, verify
from athenaeum.observability.metrics import EVENTS_REFUSED

log = structlog.get_logger(__name__)

MAX_BODY = 1024 * 1024
"""Bytes; Slack's events stay under 100 kB."""
_DRAIN = 32 * MAX_BODY  # read and thrown away, so that a sender of too much still hears why
_PATIENCE = 10.0  # seconds for a whole body


class _Rejected(AthenaeumError):  # noqa: N818
    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


def webhook_router(
    listener: Listener, signing_secret: str | None, *, clock: Callable[[], float] = time.time
) -> APIRouter:
    """The route; without a signing secret it refuses everything, since nothing could be believed."""
    router = APIRouter()

    @router.post("/slack/events")
    async def receive(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        try:
            body = await _read(request)
            if _is_ssl_check(request, body):
                return Response()
            payload = _verified(request, body, signing_secret, clock())
            return await _answer(listener, payload)
        except _Rejected as error:
            return _refuse(error.status, error.reason, str(error))
        except Forged as error:
            return _refuse(401, error.reason, str(error))

    return router


async def _read(request: Request) -> bytes:
    """The body; one that is too large is never held whole.

    Raises:
        _Rejected: it is too large, too slow, or was cut off.
    """
    kept, length = bytearray(), 0
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                length += len(chunk)
                if length <= MAX_BODY:
                    kept += chunk
                elif length > _DRAIN:
                    break
                else:
                    kept.clear()
    except TimeoutError:
        raise _Rejected(408, "slow", f"the body did not arrive within {_PATIENCE:.0f} s") from None
    except ClientDisconnect:
        raise _Rejected(400, "cut", "the connection closed before the body was complete") from None
    if length > MAX_BODY:
        raise _Rejected(413, "too_large", f"the body is over {MAX_BODY} bytes")
    return bytes(kept)


def _verified(request: Request, body: bytes, secret: str | None, now: float) -> dict[str, object]:
    if not secret:
        raise Forged("no_secret", "this gateway has no signing secret: set SLACK_SIGNING_SECRET")
    headers = request.headers
    verify(
        secret,
        timestamp=headers.get("x-slack-request-timestamp"),
        signature=headers.get("x-slack-signature"),
        body=body,
        now=now,
    )
    try:
        payload = _form(body) if _is_form(request) else json.loads(body)
    except (ValueError, RecursionError):
        raise _Rejected(400, "malformed", "the body is not JSON in UTF-8") from None
    if not isinstance(payload, dict):
        raise _Rejected(400, "malformed", "the body is not a JSON object")
    return payload  # pyright: ignore[reportUnknownVariableType] - JSON objects have string keys


async def _answer(listener: Listener, payload: dict[str, object]) -> Response:
    if "command" in payload:
        shown = await listener.answer(payload, transport="http")
        return JSONResponse(shown) if shown else Response()
    match payload.get("type"):
        case "url_verification":
            return JSONResponse({"challenge": str(payload.get("challenge", ""))})
        case "event_callback" | "block_actions" | "view_submission":
            receipt = await listener.receive(payload, transport="http")
            if receipt is Receipt.AWAY:
                return PlainTextResponse("not stored: please send it again", status_code=receipt.value)
        case "app_rate_limited":
            log.warning("slack.rate_limited", team=str(payload.get("team_id"))[:64])
        case other:
            log.info("slack.unused", type=str(other)[:64])
    return Response()


def _form(body: bytes) -> object:
    """A click, which comes as JSON in a field of a form, or else the form itself, which may be a slash command."""
    fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return json.loads(fields["payload"]) if "payload" in fields else {"type": "form", **fields}


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _is_ssl_check(request: Request, body: bytes) -> bool:
    # Slack asks without a signature whether our certificate is good; the answer tells nobody anything
    return _is_form(request) and parse_qs(body.decode("utf-8", "replace")).get("ssl_check") == ["1"]


def _refuse(status: int, reason: str, message: str) -> Response:
    EVENTS_REFUSED.labels(reason).inc()
    log.warning("request.refused", status=status, reason=reason)
    return PlainTextResponse(message, status_code=status)
