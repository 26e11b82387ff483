"""The control API's questions: what is there, what was called, what was delivered."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from slacksim.calls import KEPT
from slacksim.control import done
from slacksim.errors import SlackError
from slacksim.model import Channel, JsonObject, Message, User
from slacksim.simulation import Simulation
from slacksim.stream import shown_message
from slacksim.world import World


class Inspection:
    """The handlers that only look."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sim/world", self.show_world),
            web.get("/_sim/messages", self.messages),
            web.get("/_sim/calls", self.calls),
            web.get("/_sim/ephemerals", self.ephemerals),
            web.get("/_sim/fetches", self.fetches),
            web.get("/_sim/deliveries", self.deliveries),
            web.get("/_sim/home", self.home),
            web.get("/_sim/stream", self.stream),
        ]

    def _viewer(self, reference: str) -> User | None:
        if not reference:
            return None
        user = self._simulation.world_of(reference).find_user(reference)
        if user is None:
            raise SlackError("user_not_found", status=404)
        return user

    async def show_world(self, _: web.Request) -> web.Response:
        return done(**described(self._simulation))

    async def messages(self, request: web.Request) -> web.Response:
        """Messages in the order of their ts, replies among them; tombstones only when asked for."""
        viewer = self._viewer(request.query.get("as_user", ""))
        reference = request.query.get("channel", "")
        world = self._simulation.world_of(reference)
        channels = [_readable(world, reference, viewer)] if reference else _all_readable(world, viewer)
        thread_ts = request.query.get("thread_ts", "")
        with_tombstones = request.query.get("include_tombstones") == "1"
        shown = [
            shown_message(channel, message)
            for channel in channels
            for message in _in_order(channel, thread_ts)
            if with_tombstones or message.subtype != "tombstone"
        ]
        return done(messages=shown)

    async def calls(self, request: web.Request) -> web.Response:
        newest = _newest(request)
        return done(calls=self._simulation.calls.of(request.query.get("method", ""), newest=newest))

    async def ephemerals(self, request: web.Request) -> web.Response:
        user = self._viewer(request.query.get("user", ""))
        whispered = self._simulation.world.state.ephemerals
        return done(ephemerals=[said.to_json() for said in whispered if user is None or said.user == user.id])

    async def fetches(self, _: web.Request) -> web.Response:
        return done(fetches=self._simulation.unfurler.fetches)

    async def home(self, request: web.Request) -> web.Response:
        """What the app has published for somebody; null before that."""
        user = self._viewer(request.query.get("user", ""))
        return done(view=user and self._simulation.homes.of(user.id))

    async def deliveries(self, request: web.Request) -> web.Response:
        event_id = request.query.get("event_id", "")
        sent = self._simulation.outbox.deliveries
        wanted = [delivery for delivery in sent if not event_id or delivery.event_id == event_id]
        shown = [delivery.to_json() for delivery in wanted[-_newest(request) :]]
        return done(deliveries=shown, connections=self._simulation.sockets.connection_count)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        user = self._viewer(request.query.get("user", ""))
        if user is None:
            raise SlackError("invalid_arguments", detail="user: name the person whose view it is")
        return await self._simulation.stream.serve(request, user.id)


def _newest(request: web.Request) -> int:
    """How many of the newest records are asked for by ``limit``; all of them by default."""
    limit = request.query.get("limit", str(KEPT))
    if not limit.isdigit() or int(limit) == 0:
        raise SlackError("invalid_arguments", detail="limit: a number above 0")
    return int(limit)


def _readable(world: World, reference: str, viewer: User | None) -> Channel:
    channel = world.find_channel(reference)
    if channel is None:
        raise SlackError("channel_not_found", status=404)
    if viewer is not None and not world.may_read(viewer.id, channel):
        raise SlackError("channel_not_found", status=403)
    return channel


def _all_readable(world: World, viewer: User | None) -> list[Channel]:
    return [c for c in world.channels.values() if viewer is None or world.may_read(viewer.id, c)]


def _in_order(channel: Channel, thread_ts: str) -> Iterator[Message]:
    stamps = [thread_ts, *channel.threads.get(thread_ts, [])] if thread_ts else sorted(channel.messages)
    return (channel.messages[ts] for ts in stamps if ts in channel.messages)


def described(simulation: Simulation) -> JsonObject:
    """The workspace: its app with the tokens, its people and conversations."""
    world = simulation.world
    app = world.app
    return {
        "team": {
            "id": world.team.id,
            "name": world.team.name,
            "domain": world.team.domain,
            "suggestions": [{"text": text} for text in world.team.suggestions],
            "url": f"{simulation.url}/",
        },
        "bot": {"user_id": app.user_id, "bot_id": app.bot_id, "name": app.name, "app_id": app.id},
        "tokens": {
            "bot_token": app.bot_token,
            "app_token": app.app_token,
            "signing_secret": app.signing_secret,
        },
        "oauth": {"client_id": simulation.oauth.client_id, "client_secret": simulation.oauth.client_secret},
        "workspaces": [{"id": one.team.id, "name": one.team.name} for one in simulation.worlds],
        "users": [
            {
                "id": user.id,
                "name": user.name,
                "real_name": user.real_name,
                "title": user.title,
                "is_bot": user.is_bot,
                "is_guest": user.is_guest,
                "color": user.color,
            }
            for user in world.users.values()
        ],
        "channels": [
            {
                "id": channel.id,
                "name": channel.name,
                "kind": channel.kind.value,
                "members": channel.members,
                "topic": channel.topic,
                "is_archived": channel.is_archived,
            }
            for channel in world.channels.values()
        ],
    }
