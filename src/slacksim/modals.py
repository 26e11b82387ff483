"""What a person does in a modal, under ``/_sim``: press, submit, leave."""

from __future__ import annotations

import asyncio

from aiohttp import web

from slacksim import inputs, requests
from slacksim.control import done
from slacksim.deliveries import Delivery
from slacksim.errors import SlackError
from slacksim.model import JsonObject
from slacksim.people import Person
from slacksim.simulation import Simulation


class Modals:
    """The handlers for the view that stands before somebody."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sim/view", self.show),
            web.post("/_sim/press", self.press),
            web.post("/_sim/submit", self.submit),
            web.post("/_sim/leave", self.leave),
        ]

    def _person(self, reference: str) -> Person:
        return Person.named(self._simulation.world_of(reference), reference)

    async def show(self, request: web.Request) -> web.Response:
        person = self._person(request.query.get("user", ""))
        return done(view=self._simulation.views.top(person.user.id))

    async def press(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Press)
        person = self._person(body.user)
        view = self._simulation.views.on_top(person.user.id, body.view_id).to_json()
        pressed = {"type": "block_actions", "container": {"type": "view", "view_id": view["id"]}, "view": view}
        action = person.action(view["blocks"], body.action_id, value=body.value)
        return done(envelope_id=self._tell(person, pressed | {"actions": [action]}).envelope_id)

    async def submit(self, request: web.Request) -> web.Response:
        """Sends what was filled in, and does what the app answers; what it refuses is given by block_id."""
        body = await requests.parsed(request, requests.Submit)
        person = self._person(body.user)
        view = self._simulation.views.on_top(person.user.id, body.view_id)
        shown = view.to_json()
        filled = inputs.state(shown["blocks"], body.values)
        if empty := inputs.missing(shown["blocks"], filled):
            raise SlackError("input_missing", status=400, blocks=empty)
        submitted = {"type": "view_submission", "view": shown | {"state": filled}, "response_urls": []}
        delivery = self._tell(person, submitted)
        try:
            async with asyncio.timeout(self._simulation.timing.ack_seconds + 1):
                await delivery.settled.wait()
        except TimeoutError:  # no connection took it
            delivery.give_up()
        if not delivery.acked:
            raise SlackError("app_did_not_answer", status=502)
        return done(errors=self._simulation.views.answered(view, delivery.answer))

    async def leave(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Leave)
        person = self._person(body.user)
        view = self._simulation.views.on_top(person.user.id, body.view_id)
        all_of_them = body.all or bool(view.content.get("clear_on_close"))
        if view.content.get("notify_on_close"):
            self._tell(person, {"type": "view_closed", "view": view.to_json(), "is_cleared": all_of_them})
        self._simulation.views.close(view, all_of_them=all_of_them)
        return done()

    def _tell(self, person: Person, what: JsonObject) -> Delivery:
        payload = person.interaction() | what
        if what["type"] != "view_closed":
            payload["trigger_id"] = self._simulation.views.trigger(person.world, person.user.id)
        return self._simulation.outbox.send(payload, kind="interactive")
