"""OAuth: the app is let into a workspace on a page, a code becomes a token, and tokens are rotated."""

from __future__ import annotations

import base64
import html
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from slacksim.errors import SlackError
from slacksim.ids import stable_id, stable_secret
from slacksim.model import JsonObject
from slacksim.world import World

TOKEN_SECONDS = 12 * 3600.0
CODE_SECONDS = 600.0


@dataclass(slots=True)
class IssuedToken:
    """A bot token that was given for a code; ``ends`` is None without rotation."""

    world: World
    ends: float | None
    is_organisation: bool


@dataclass(frozen=True, slots=True)
class Code:
    """What a person let the app into, and until when the code counts."""

    world: World
    user: str
    is_organisation: bool
    ends: float


class OAuth:
    """The way of the app into workspaces.

    Args:
        worlds: The workspaces that the page offers.

    Attributes:
        redirect_url: Where the browser goes back to when the request names no ``redirect_uri``.
        rotates: Whether tokens end after twelve hours and come with a refresh token, good for one use.
    """

    def __init__(self, worlds: Sequence[World]) -> None:
        self.redirect_url = ""
        self.rotates = False
        self.tokens: dict[str, IssuedToken] = {}
        self._worlds = worlds
        self._codes: dict[str, Code] = {}
        self._refresh_tokens: dict[str, IssuedToken] = {}

    @property
    def client_id(self) -> str:
        return f"{int(stable_secret(self._worlds[0].app.id, 'client')[:10], 16)}.{self._worlds[0].app.id}"

    @property
    def client_secret(self) -> str:
        return stable_secret(self._worlds[0].app.id, "client")

    def forget(self) -> None:
        """Everything but the redirect URL as in the beginning."""
        self.rotates = False
        self.tokens.clear()
        self._codes.clear()
        self._refresh_tokens.clear()

    def expire(self, world: World) -> None:
        """The workspace's tokens have ended."""
        for issued in self.tokens.values():
            if issued.world is world and issued.ends is not None:
                issued.ends = 0.0

    def withdraw(self, world: World) -> None:
        """The workspace's tokens are good for nothing any more."""
        world.app.is_revoked = True
        for token in [token for token, issued in self._refresh_tokens.items() if issued.world is world]:
            del self._refresh_tokens[token]

    def reached(self, issued: IssuedToken) -> list[World]:
        """The workspaces that a token may act in."""
        organisation = issued.world.team.enterprise
        if not issued.is_organisation:
            return [issued.world]
        return [world for world in self._worlds if world.team.enterprise == organisation]

    # The page

    async def show(self, request: web.Request) -> web.Response:
        """The page that asks which workspace the app may enter."""
        given = request.query
        if given.get("client_id") != self.client_id:
            return web.Response(status=400, text="invalid_client_id: this app is not known here")
        organisations = {world.team.enterprise: world for world in self._worlds if world.team.enterprise}
        offered = [(world.team.id, world.team.name) for world in self._worlds]
        offered += [(world.team.enterprise, f"the whole organisation {name}") for name, world in organisations.items()]
        return web.Response(text=_page(self._worlds[0].app.name, offered, dict(given)), content_type="text/html")

    async def decide(self, request: web.Request) -> web.Response:
        """The person's decision: the browser goes back to the app."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        back = form.get("redirect_uri") or self.redirect_url
        if not back:
            return web.Response(status=400, text="bad_redirect_uri: POST /_sim/oauth with a redirect_url first")
        place = form.get("place", "")
        given = {"state": form.get("state", "")}
        given |= {"code": self.grant(place)} if place else {"error": "access_denied"}
        raise web.HTTPFound(f"{back}?{urlencode(given)}")

    def grant(self, place: str) -> str:
        """A code for a workspace, or for an organisation, by its id."""
        found = next((world for world in self._worlds if place in {world.team.id, world.team.enterprise}), None)
        if found is None:
            raise web.HTTPBadRequest(text="team_not_found")
        person = next((user.id for user in found.users.values() if not user.is_bot), found.app.user_id)
        code = secrets.token_hex(16)
        is_organisation = place == found.team.enterprise
        self._codes[code] = Code(found, person, is_organisation, time.time() + CODE_SECONDS)
        return code

    # oauth.v2.access

    def access(self, given: Mapping[str, Any], authorization: str) -> JsonObject:
        """A token for a code, or for a refresh token; each is good for one use."""
        client = _basic(authorization) or (given.get("client_id"), given.get("client_secret"))
        if client[0] != self.client_id:
            raise SlackError("invalid_client_id")
        if client[1] != self.client_secret:
            raise SlackError("bad_client_secret")
        if given.get("grant_type") == "refresh_token":
            former = self._refresh_tokens.pop(str(given.get("refresh_token")), None)
            if former is None:
                raise SlackError("invalid_refresh_token")
            return self._answer(former.world, "", is_organisation=former.is_organisation)
        code = self._codes.pop(str(given.get("code")), None)
        if code is None:
            raise SlackError("invalid_code")
        if code.ends < time.time():
            raise SlackError("code_expired")
        for token in [token for token, issued in self.tokens.items() if issued.world.app.is_revoked]:
            del self.tokens[token]
        for world in self.reached(IssuedToken(code.world, None, code.is_organisation)):
            world.app.is_revoked = False
            world.app.is_enterprise_install = code.is_organisation
        return self._answer(code.world, code.user, is_organisation=code.is_organisation)

    def _answer(self, world: World, user: str, *, is_organisation: bool) -> JsonObject:
        app, team = world.app, world.team
        prefix = "xoxe.xoxb-1-" if self.rotates else "xoxb-"
        token = f"{prefix}{team.id}-{secrets.token_hex(16)}"
        ends = time.time() + TOKEN_SECONDS if self.rotates else None
        self.tokens[token] = IssuedToken(world, ends, is_organisation)
        body: JsonObject = {
            "ok": True,
            "app_id": app.id,
            "access_token": token,
            "token_type": "bot",
            "scope": ",".join(app.scopes),
            "bot_user_id": app.user_id,
            "team": None if is_organisation else {"id": team.id, "name": team.name},
            "enterprise": {"id": team.enterprise, "name": team.enterprise} if team.enterprise else None,
            "is_enterprise_install": is_organisation,
            "authed_user": {"id": user} if user else {},
        }
        if self.rotates:
            refresh_token = f"xoxe-1-{secrets.token_hex(16)}"
            self._refresh_tokens[refresh_token] = self.tokens[token]
            body |= {"expires_in": int(TOKEN_SECONDS), "refresh_token": refresh_token}
        return body


def new_bot_user(world: World) -> None:
    """Gives the app another bot user, as an installation after an uninstallation does."""
    app = world.app
    app.user_id = stable_id("U", world.team.id, app.user_id)
    app.bot_id = stable_id("B", world.team.id, app.bot_id)
    world.add_bot()


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    name, _, secret = base64.b64decode(encoded).decode().partition(":")
    return name, secret


def _page(app: str, places: Sequence[tuple[str | None, str]], given: Mapping[str, str]) -> str:
    kept = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(given.get(name, ""))}">'
        for name in ("state", "redirect_uri")
    )
    buttons = "".join(
        f'<button name="place" value="{place}" data-testid="allow-{place}">Allow in {html.escape(name)}</button>'
        for place, name in places
    )
    scopes = "".join(f"<li>{html.escape(scope)}</li>" for scope in given.get("scope", "").split(",") if scope)
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Let {html.escape(app)} in?</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem }}
button {{ display: block; width: 100%; margin: .5rem 0; padding: .7rem; font: inherit }}
ul {{ columns: 2; font-size: .85rem }}</style>
<h1>{html.escape(app)} asks to enter a workspace</h1><p>It would be granted:</p><ul>{scopes}</ul>
<form method="post">{kept}{buttons}<button name="place" value="" data-testid="cancel">Cancel</button></form></html>"""
