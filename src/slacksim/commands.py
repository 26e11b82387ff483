"""Slash commands: what somebody types is sent to the app once, and its acknowledgement is shown to them alone."""

from __future__ import annotations

import asyncio

from slacksim.blocks import check
from slacksim.deliveries import Delivery, Timing
from slacksim.errors import SlackError
from slacksim.model import Ephemeral, JsonObject
from slacksim.outbox import Outbox
from slacksim.people import Person
from slacksim.response_urls import ResponseUrls
from slacksim.views import Views

FAILED = 'failed with the error "{}"'


class Commands:
    """Every app has one command, which is called like it.

    Args:
        outbox: Where commands go out.
        response_urls: Answers that come later.
        views: Gives triggers for modals.
        timing: How long the app has for its acknowledgement; read anew each time.
    """

    def __init__(self, outbox: Outbox, response_urls: ResponseUrls, views: Views, timing: Timing) -> None:
        self._outbox = outbox
        self._response_urls = response_urls
        self._views = views
        self._timing = timing

    async def type(self, person: Person, channel: str, line: str, *, url: str) -> Delivery:
        """Somebody sends a line such as ``/athenaeum help``; on return the app has answered it, or failed to.

        ``url`` is the simulator's own address.
        """
        delivery = self._outbox.send(self._payload(person, channel, line, url), kind="slash_commands")
        try:
            async with asyncio.timeout(self._timing.ack_seconds + 1):
                await delivery.settled.wait()
        except TimeoutError:  # no connection took it
            delivery.give_up()
        self._show(person, delivery)
        return delivery

    def _payload(self, person: Person, channel: str, line: str, url: str) -> JsonObject:
        place, (command, _, words) = person.channel(channel), line.strip().partition(" ")
        world, app = person.world, person.world.app
        if command != f"/{app.name}":
            raise SlackError("invalid_command", status=400, detail=f"{command} is not a command: try /{app.name}")
        enterprise = {"enterprise_id": world.team.enterprise} if world.team.enterprise else {}
        return {
            "token": "unused",
            "team_id": world.team.id,
            "team_domain": world.team.domain,
            **enterprise,
            "channel_id": place.id,
            "channel_name": place.name or "directmessage",
            "user_id": person.user.id,
            "user_name": person.user.name,
            "command": command,
            "text": words.strip(),
            "api_app_id": app.id,
            "is_enterprise_install": str(app.is_enterprise_install).lower(),
            "response_url": url + self._response_urls.new(place.id, "", person.user.id),
            "trigger_id": self._views.trigger(world, person.user.id),
        }

    def _show(self, person: Person, delivery: Delivery) -> None:
        channel, command = delivery.payload["channel_id"], delivery.payload["command"]
        answer: JsonObject = delivery.answer
        if not delivery.acked:
            timed_out = any(attempt.outcome == "timeout" for attempt in delivery.attempts)
            answer = {"text": f"{command} {FAILED.format('operation_timeout' if timed_out else 'dispatch_failed')}"}
        elif not answer and isinstance(delivery.response, str):
            answer = {"text": delivery.response}  # over HTTP it may be plain text
        blocks: list[JsonObject] = answer.get("blocks") or []
        text = str(answer.get("text") or "")
        check(blocks)
        if text or blocks:
            ts = person.world.timestamps.next()
            person.world.whisper(Ephemeral(ts, channel, person.user.id, text, blocks))
