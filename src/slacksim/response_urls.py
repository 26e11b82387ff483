"""response_url: answers to an interaction, five times within half an hour."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from slacksim.blocks import check
from slacksim.errors import SlackError
from slacksim.model import Channel, Ephemeral, JsonObject, Message
from slacksim.world import World

MAX_USES = 5
LIFETIME_SECONDS = 1800


@dataclass(slots=True)
class Ticket:
    """What a response_url stands for: a message, and who clicked in it."""

    channel: str
    ts: str
    user: str
    expires: float
    uses: int = 0


class ResponseUrls:
    """Hands out response URLs and does what is posted to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tickets: dict[str, Ticket] = {}

    def new(self, channel: str, ts: str, user: str) -> str:
        """The path of a new response URL."""
        key = secrets.token_urlsafe(16)
        self._tickets[key] = Ticket(channel, ts, user, time.monotonic() + LIFETIME_SECONDS)
        return f"/actions/{key}"

    def forget(self) -> None:
        self._tickets.clear()

    async def handle(self, request: web.Request) -> web.Response:
        ticket = self._tickets.get(request.match_info["key"])
        if ticket is None or ticket.expires < time.monotonic():
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if ticket.uses >= MAX_USES:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        ticket.uses += 1
        try:
            self._apply(ticket, await request.json())
        except SlackError as error:
            return web.json_response(error.body(), status=400)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        return web.Response(text="ok")

    def _apply(self, ticket: Ticket, answer: JsonObject) -> None:
        channel = self._world.channels[ticket.channel]
        message = channel.messages.get(ticket.ts)
        blocks: list[JsonObject] = answer.get("blocks") or []
        check(blocks)
        text = str(answer.get("text") or "")
        if answer.get("delete_original") and message is not None:
            self._world.delete(message)
        elif answer.get("replace_original") and message is not None:
            content: dict[str, Any] = {"text": text, "blocks": blocks}
            self._world.edit(message, by=self._world.app.user_id, **content)
        elif not text and not blocks:
            raise SlackError("no_text")
        else:
            self._add(ticket, channel, answer | {"text": text, "blocks": blocks})

    def _add(self, ticket: Ticket, channel: Channel, answer: JsonObject) -> None:
        app = self._world.app
        ts = self._world.timestamps.next()
        thread_ts = answer.get("thread_ts")
        if answer.get("response_type") != "in_channel":
            self._world.whisper(Ephemeral(ts, channel.id, ticket.user, answer["text"], answer["blocks"], thread_ts))
            return
        said = Message(ts, channel.id, app.user_id, answer["text"], blocks=answer["blocks"], thread_ts=thread_ts)
        said.bot_id, said.app_id, said.team = app.bot_id, app.id, self._world.team.id
        self._world.post(said)
