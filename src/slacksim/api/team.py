"""team.info, bots.info, emoji.list, usergroups.list: the workspace's furniture."""

from __future__ import annotations

from slacksim.api.call import Call, Method
from slacksim.errors import SlackError
from slacksim.model import JsonObject


def info(call: Call) -> JsonObject:
    team = call.world.team
    wanted = call.arguments.text("team", team.id)
    if wanted != team.id:
        raise SlackError("team_not_found")
    shown = {"id": team.id, "name": team.name, "domain": team.domain, "url": f"{call.url}/"}
    return {"team": shown | {"email_domain": "", "icon": {"image_default": True}}}


def bot_info(call: Call) -> JsonObject:
    wanted = call.arguments.text("bot", call.app.bot_id)
    bot = next((user for user in call.world.users.values() if user.bot_id == wanted), None)
    if bot is None:
        raise SlackError("bot_not_found")
    shown: JsonObject = {"id": bot.bot_id, "deleted": bot.is_deleted, "name": bot.name, "user_id": bot.id}
    if bot.id == call.app.user_id:
        shown["app_id"] = call.app.id
    return {"bot": shown | {"updated": 0, "icons": {}}}


def emoji(_: Call) -> JsonObject:
    return {"emoji": {}, "cache_ts": "0000000000.000000"}


def usergroups(_: Call) -> JsonObject:
    return {"usergroups": []}


METHODS = (
    Method("team.info", info, "team:read"),
    Method("bots.info", bot_info, "users:read"),
    Method("emoji.list", emoji, "emoji:read", tier=2),
    Method("usergroups.list", usergroups, "usergroups:read", tier=2),
)
