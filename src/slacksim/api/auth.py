"""auth.*, api.test, apps.*: who is calling, and where to listen."""

from __future__ import annotations

from slacksim.api.call import Call, Method
from slacksim.errors import SlackError
from slacksim.model import JsonObject


def api_test(call: Call) -> JsonObject:
    if error := call.arguments.text("error"):
        raise SlackError(error, args=dict(call.arguments.given))
    return {"args": {name: value for name, value in call.arguments.given.items() if name != "token"}}


def auth_test(call: Call) -> JsonObject:
    team = call.world.team
    return {
        "url": f"{call.url}/",
        "team": team.name,
        "user": call.app.name,
        "team_id": team.enterprise if call.app.is_enterprise_install else team.id,
        "user_id": call.app.user_id,
        "bot_id": call.app.bot_id,
        "is_enterprise_install": call.app.is_enterprise_install,
    } | ({"enterprise_id": team.enterprise} if team.enterprise else {})


def revoke(call: Call) -> JsonObject:
    if not call.arguments.flag("test"):
        call.app.is_revoked = True
    return {"revoked": call.app.is_revoked}


def open_connection(call: Call) -> JsonObject:
    return {"url": call.sockets.new_url(call.url.replace("http", "ws", 1))}


def authorizations(call: Call) -> JsonObject:
    call.arguments.required("event_context")
    installed = {
        "enterprise_id": None,
        "team_id": call.world.team.id,
        "user_id": call.app.user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {"authorizations": [installed], "response_metadata": {"next_cursor": ""}}


def teams(call: Call) -> JsonObject:
    """The workspaces that the token may act in; an organisation's has several."""
    return {"teams": [{"id": team.id, "name": team.name} for team in call.teams], "response_metadata": {}}


METHODS = (
    Method("api.test", api_test, tier=4, caller="anyone"),
    Method("auth.test", auth_test, tier=4),
    Method("auth.revoke", revoke),
    Method("auth.teams.list", teams, tier=2),
    Method("apps.connections.open", open_connection, tier=1, caller="app"),
    Method("apps.event.authorizations.list", authorizations, tier=4, caller="app"),
)
