"""The bytes of files over HTTP: brought, opened with a token, and shown in the page."""

from __future__ import annotations

from aiohttp import web

from slacksim import files
from slacksim.control import done, is_loopback
from slacksim.errors import SlackError
from slacksim.model import App, File
from slacksim.people import Person
from slacksim.simulation import Simulation
from slacksim.world import World

MAX_BYTES = 32 * 1024 * 1024
_PIECE = 64 * 1024


class Storage:
    """The handlers of what a workspace keeps beside its messages."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/_sim/files", self.bring),
            web.post("/upload/v1/{file}", self.take),
            web.get(r"/files-pri/{team:\w+}-{file:\w+}/{name:.+}", self.open),
            web.get(r"/files/{user:\w+}/{file:\w+}/{name:.+}", self.show),
        ]

    async def bring(self, request: web.Request) -> web.Response:
        """A person uploads what they will share: the body is the content, ``user`` and ``name`` say whose and what."""
        reference = request.query.get("user", "")
        person = Person.named(self._simulation.world_of(reference), reference)
        name = request.query.get("name", "")
        if not name:
            raise SlackError("invalid_arguments", status=400, detail="name: what the file is called")
        kept = person.upload(name, await _body(request), mimetype=_type(request))
        return done(file=kept.id)

    async def take(self, request: web.Request) -> web.Response:
        """What an app brings to the address that files.getUploadURLExternal gave; the address is its right to."""
        _, kept = self._kept(request.match_info["file"])
        if kept is None or kept.content is not None:
            raise web.HTTPNotFound
        content = await _body(request)
        if len(content) != kept.size:
            raise web.HTTPBadRequest(text="the length is not the one that was told")
        files.fill(kept, content)
        return web.Response(text=f"OK - {len(content)}")

    async def open(self, request: web.Request) -> web.StreamResponse:
        """A file's content for the bot's token; without one Slack sends to its page for signing in."""
        world, kept = self._kept(request.match_info["file"])
        if world is None or kept is None or kept.content is None:
            raise web.HTTPNotFound
        if not self._may_open(request, world, kept):
            raise web.HTTPFound(f"{self._simulation.url}/?redir={request.path}")
        return web.Response(body=kept.content, content_type=kept.mimetype)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """A file for whoever uses the page, to be saved: never opened among the pages of the workspace."""
        _, kept = self._kept(request.match_info["file"])
        if not is_loopback(request) or kept is None or kept.content is None:
            raise web.HTTPNotFound
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=kept.content, content_type="application/octet-stream", headers=headers)

    def _kept(self, file_id: str) -> tuple[World, File] | tuple[None, None]:
        for world in self._simulation.worlds:
            if file_id in world.state.files:
                return world, world.state.files[file_id]
        return None, None

    def _may_open(self, request: web.Request, world: World, kept: File) -> bool:
        app: App = world.app
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        issued = self._simulation.oauth.tokens.get(token)
        known = issued.world is world if issued else token == app.bot_token and world is self._simulation.world
        if not known or app.is_revoked or "files:read" not in app.scopes:
            return False
        return kept.user == app.user_id or any(app.user_id in c.members for c, _ in files.shares(world, kept))


async def _body(request: web.Request) -> bytes:
    content = bytearray()
    async for piece in request.content.iter_chunked(_PIECE):
        content += piece
        if len(content) > MAX_BYTES:
            raise web.HTTPRequestEntityTooLarge(MAX_BYTES, len(content))
    return bytes(content)


def _type(request: web.Request) -> str:
    return "" if request.content_type == "application/octet-stream" else request.content_type
