"""The control API under ``/_sim``: people act, faults are put in, events are repeated. Loopback only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from slacksim import events, files, requests
from slacksim.errors import SlackError
from slacksim.faults import Fault
from slacksim.model import Channel, JsonObject, User
from slacksim.people import Person
from slacksim.simulation import Simulation
from slacksim.world import World

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(request: web.Request) -> bool:
    """Whether Host and Origin are this machine, so that no web page of another origin gets through."""
    addresses = [f"//{request.host}"]
    if origin := request.headers.get("Origin"):
        addresses.append(origin)
    try:
        return all(urlsplit(address).hostname in LOOPBACK for address in addresses)
    except ValueError:
        return False


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what doesn't come from this machine, and turns errors into JSON."""
    if not request.path.startswith("/_sim"):
        return await handler(request)
    if not is_loopback(request):
        return web.json_response({"ok": False, "error": "loopback_only"}, status=403)
    try:
        return await handler(request)
    except SlackError as error:
        return web.json_response(error.body(), status=error.status if error.status != 200 else 400)


class Control:
    """The handlers that change something."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/_sim/messages", self.say),
            web.post("/_sim/edit", self.edit),
            web.post("/_sim/delete", self.delete),
            web.post("/_sim/react", self.react),
            web.post("/_sim/click", self.click),
            web.post("/_sim/stop", self.stop),
            web.post("/_sim/command", self.command),
            web.post("/_sim/home", self.visit_home),
            web.post("/_sim/open", self.open_direct),
            web.post("/_sim/channels", self.create_channel),
            web.post("/_sim/members", self.change_membership),
            web.post("/_sim/archive", self.archive),
            web.post("/_sim/faults", self.plan_fault),
            web.delete("/_sim/faults", self.clear_faults),
            web.post("/_sim/limits", self.set_limits),
            web.post("/_sim/timing", self.set_timing),
            web.post("/_sim/disconnect", self.disconnect),
            web.post("/_sim/socket_mode", self.switch_socket_mode),
            web.post("/_sim/deliver", self.deliver),
            web.post("/_sim/events_url", self.set_events_url),
            web.post("/_sim/oauth", self.set_oauth),
            web.post("/_sim/expire", self.expire_tokens),
            web.post("/_sim/uninstall", self.uninstall),
            web.post("/_sim/reset", self.reset),
        ]

    def _person(self, reference: str) -> Person:
        return Person.named(self._simulation.world_of(reference), reference)

    def _place(self, channel: str, user: str) -> tuple[Channel, User]:
        found = self._simulation.world.find_channel(channel)
        person = self._simulation.world.find_user(user)
        if found is None or person is None:
            raise SlackError("channel_not_found" if found is None else "user_not_found", status=404)
        return found, person

    async def say(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Say)
        person = self._person(body.user)
        shared = [files.owned(person.world, file, person.user.id) for file in body.files]
        message = person.say(body.channel, body.text, thread_ts=body.thread_ts, files=shared)
        return done(ts=message.ts, channel=message.channel)

    async def edit(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Edit)
        message = self._person(body.user).edit(body.channel, body.ts, body.text)
        return done(ts=message.ts, channel=message.channel)

    async def delete(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Delete)
        self._person(body.user).delete(body.channel, body.ts)
        return done()

    async def react(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.React)
        self._person(body.user).react(body.channel, body.ts, body.name, added=not body.remove)
        return done()

    async def click(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Click)
        person = self._person(body.user)
        payload = person.click(body.channel, body.ts, body.action_id, block_id=body.block_id, value=body.value)
        path = self._simulation.response_urls.new(payload["channel"]["id"], body.ts, person.user.id)
        payload["response_url"] = self._simulation.url + path
        payload["trigger_id"] = self._simulation.views.trigger(person.world, person.user.id)
        delivery = self._simulation.outbox.send(payload, kind="interactive")
        return done(envelope_id=delivery.envelope_id)

    async def command(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Command)
        person, url = self._person(body.user), self._simulation.url
        delivery = await self._simulation.commands.type(person, body.channel, body.text, url=url)
        return done(envelope_id=delivery.envelope_id, answered=delivery.acked)

    async def visit_home(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.HomeVisit)
        person, simulation = self._person(body.user), self._simulation
        if body.action_id is not None:
            payload = simulation.homes.click(person, body.action_id, simulation.views)
            simulation.outbox.send(payload, kind="interactive")
        else:
            simulation.outbox.send(events.callback(simulation.homes.opened(person, body.tab), person.world))
        return done(view=simulation.homes.of(person.user.id))

    async def stop(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Stop)
        return done(stopped=self._person(body.user).stop(body.channel, body.thread_ts))

    async def open_direct(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Open)
        return done(channel=self._person(body.user).open_direct(body.users).id)

    async def create_channel(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.NewChannel)
        channel = self._person(body.user).create_channel(body.name, body.members, private=body.private)
        return done(channel=channel.id)

    async def change_membership(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Membership)
        channel, user = self._place(body.channel, body.user)
        world = self._simulation.world
        if body.remove:
            world.leave(channel, user.id)
        else:
            world.join(channel, user.id)
        return done(members=channel.members)

    async def archive(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Archive)
        channel, user = self._place(body.channel, body.user)
        self._simulation.world.set_archived(channel, user.id, archived=body.archived)
        return done()

    async def plan_fault(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.FaultPlan)
        faults = self._simulation.faults
        if body.mode == "client_msg_id_off":
            faults.client_msg_ids_count = False
        else:
            faults.plan(Fault(body.method, body.mode, body.times, body.retry_after, body.seconds, body.error))
        return done()

    async def clear_faults(self, _: web.Request) -> web.Response:
        self._simulation.faults.clear()
        return done()

    async def set_limits(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.LimitSettings)
        self._simulation.limits.configure(
            enabled=body.enabled, overrides=body.per_minute, history_page=body.history_page
        )
        return done()

    async def set_timing(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.TimingSettings)
        timing = self._simulation.timing
        if body.ack_seconds is not None:
            timing.ack_seconds = body.ack_seconds
        if body.retry_delays is not None:
            timing.retry_delays = tuple(body.retry_delays)
        if body.warning_seconds is not None:
            timing.warning_seconds = body.warning_seconds
        if body.stream_seconds is not None:
            self._simulation.world.stream_seconds = body.stream_seconds
        return done()

    async def disconnect(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Disconnect)
        count = self._simulation.sockets.connection_count
        self._simulation.sockets.disconnect(body.reason)
        return done(connections=count)

    async def switch_socket_mode(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.SocketModeSwitch)
        self._simulation.sockets.enabled = body.enabled
        return done()

    async def deliver(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.Deliver)
        if sum(given is not None for given in (body.payload, body.event, body.event_id)) != 1:
            raise SlackError("invalid_arguments", detail="give exactly one of payload, event and event_id")
        if body.via == "http" and not self._simulation.world.app.events_url:
            raise SlackError("no_events_url", detail="POST /_sim/events_url first")
        outbox = self._simulation.outbox
        payload = outbox.payload(body.event_id) if body.event_id else body.payload
        if body.event is not None:
            payload = events.callback(body.event, self._simulation.world)
        if payload is None:
            raise SlackError("event_not_found", status=404)
        sent = [outbox.send(payload, via=body.via) for _ in range(body.times)]
        return done(envelope_ids=[delivery.envelope_id for delivery in sent])

    async def set_events_url(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.EventsUrl)
        if body.url and body.verify and not await self._simulation.webhook.verify(body.url):
            raise SlackError("url_verification_failed", detail="the URL did not answer the challenge")
        self._simulation.world.app.events_url = body.url
        return done()

    async def set_oauth(self, request: web.Request) -> web.Response:
        body = await requests.parsed(request, requests.OAuthSettings)
        oauth = self._simulation.oauth
        if body.redirect_url is not None:
            oauth.redirect_url = body.redirect_url
        if body.rotates is not None:
            oauth.rotates = body.rotates
        return done(client_id=oauth.client_id, client_secret=oauth.client_secret)

    async def expire_tokens(self, request: web.Request) -> web.Response:
        self._simulation.oauth.expire(self._team(await requests.parsed(request, requests.TeamNamed)))
        return done()

    async def uninstall(self, request: web.Request) -> web.Response:
        self._simulation.uninstall(self._team(await requests.parsed(request, requests.TeamNamed)))
        return done()

    def _team(self, body: requests.TeamNamed) -> World:
        for world in self._simulation.worlds:
            if body.team in {world.team.id, world.team.name}:
                return world
        raise SlackError("team_not_found", status=404)

    async def reset(self, _: web.Request) -> web.Response:
        self._simulation.reset()
        return done()


def done(**fields: object) -> web.Response:
    body: JsonObject = {"ok": True, **fields}
    return web.json_response(body)
