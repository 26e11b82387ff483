"""The Web API over HTTP: tokens, arguments, faults, limits, and Slack's way of answering."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, cast

from aiohttp import web

from slacksim.api.call import Arguments, Call, Method
from slacksim.api.methods import METHODS
from slacksim.calls import CallRecord
from slacksim.errors import SlackError
from slacksim.faults import Fault
from slacksim.limits import rate_limited
from slacksim.model import JsonObject
from slacksim.oauth import IssuedToken
from slacksim.simulation import Simulation
from slacksim.world import World

OF_ONE_TEAM = frozenset({"conversations.list", "users.list", "usergroups.list", "emoji.list"})
"""What a token of an organisation must name a workspace for."""


class WebApi:
    """Answers ``/api/{method}`` by GET and POST, form and JSON."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        started = time.perf_counter()
        try:
            given = await _given(request)
        except SlackError as error:
            return web.json_response(error.body())
        record = self._simulation.calls.begin(name, given)
        fault = self._simulation.faults.take(name)
        if fault is not None:
            record.fault = fault.mode
            if fault.mode == "slow":
                await asyncio.sleep(fault.seconds)
        response = self._respond(request, given, record, fault)
        if fault is not None and fault.mode == "slow_after":
            await asyncio.sleep(fault.seconds)
        record.ms = round((time.perf_counter() - started) * 1000, 3)
        return response

    def _respond(
        self, request: web.Request, given: Mapping[str, Any], record: CallRecord, fault: Fault | None
    ) -> web.Response:
        if fault is not None and fault.mode == "drop_before":
            return _dropped(request, record)
        if fault is not None and fault.mode == "500":
            record.status, record.error = 500, "internal server error"
            return web.Response(status=500, text="Internal Server Error")
        try:
            response = self._answer(request, given, record.method, fault)
        except SlackError as error:
            record.status, record.error = error.status, error.code
            response = web.json_response(error.body(), status=error.status, headers=error.headers)
        if fault is not None and fault.mode == "drop_after":
            return _dropped(request, record)
        if fault is not None and fault.mode == "error_after":
            record.error = fault.error
            return web.json_response(SlackError(fault.error).body())
        return response

    def _answer(self, request: web.Request, given: Mapping[str, Any], name: str, fault: Fault | None) -> web.Response:
        if fault is not None and fault.mode == "429":
            raise rate_limited(fault.retry_after)
        if name == "oauth.v2.access":
            return web.json_response(self._oauth_access(request, given, fault))
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        world = self._authenticate(method, _token(request, given), given)
        if fault is not None and fault.mode == "error":
            raise SlackError(fault.error)
        simulation = self._simulation
        simulation.limits.check(name, method.tier, str(given.get("channel", "")))
        issued = simulation.oauth.tokens.get(_token(request, given))
        reached = simulation.oauth.reached(issued) if issued else [world]
        call = Call(
            world,
            Arguments(given),
            simulation.sockets,
            simulation.faults,
            simulation.limits,
            simulation.views,
            simulation.homes,
            simulation.url,
            tuple(one.team for one in reached),
        )
        if method.scope:
            call.require(method.scope)
        body: JsonObject = {"ok": True, **method.handle(call)}
        headers = {"X-OAuth-Scopes": ",".join(call.app.scopes), "X-Accepted-OAuth-Scopes": method.scope}
        if method.caller == "app":
            headers["X-OAuth-Scopes"] = "connections:write,authorizations:read"
        return web.json_response(body, headers=headers)

    def _oauth_access(self, request: web.Request, given: Mapping[str, Any], fault: Fault | None) -> JsonObject:
        if fault is not None and fault.mode == "error":
            raise SlackError(fault.error)
        return self._simulation.oauth.access(given, request.headers.get("Authorization", ""))

    def _authenticate(self, method: Method, token: str, given: Mapping[str, Any]) -> World:
        """The workspace that the token is of."""
        app = self._simulation.world.app
        if method.caller == "anyone" and not token:
            return self._simulation.world
        if not token:
            raise SlackError("not_authed")
        if (issued := self._simulation.oauth.tokens.get(token)) is not None:
            if issued.world.app.is_revoked:
                raise SlackError("token_revoked")
            if issued.ends is not None and issued.ends < time.time():
                raise SlackError("token_expired")
            if method.caller == "app":
                raise SlackError("not_allowed_token_type")
            return self._place(issued, method.name, given)
        if token not in {app.bot_token, app.app_token}:
            raise SlackError("invalid_auth")
        if token == app.bot_token and app.is_revoked:
            raise SlackError("token_revoked")
        wanted = app.app_token if method.caller == "app" else app.bot_token
        if method.caller != "anyone" and token != wanted:
            raise SlackError("not_allowed_token_type")
        return self._simulation.world

    def _place(self, issued: IssuedToken, method: str, given: Mapping[str, Any]) -> World:
        """Where a call acts: a token of an organisation reaches all of its workspaces, and must name one for lists."""
        if not issued.is_organisation:
            return issued.world
        reached = self._simulation.oauth.reached(issued)
        for name in ("channel", "user"):
            if found := given.get(name):
                return next((one for one in reached if found in one.channels or found in one.users), issued.world)
        team = given.get("team_id")
        if not team and method in OF_ONE_TEAM:
            raise SlackError("missing_argument", arg="team_id")
        return next((world for world in reached if world.team.id == team), issued.world)


async def _given(request: web.Request) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query)
    if not request.can_read_body:
        return given
    if request.content_type == "application/json":
        try:
            body: Any = await request.json()
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return given | cast("dict[str, Any]", body)
    return given | {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _token(request: web.Request, given: Mapping[str, Any]) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else str(given.get("token", ""))


def _dropped(request: web.Request, record: CallRecord) -> web.Response:
    """Closes the connection without an answer."""
    record.status = 0
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
