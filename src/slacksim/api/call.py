"""One call of a Web API method: its arguments, and what the method may touch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from slacksim.errors import SlackError, explained
from slacksim.faults import Faults
from slacksim.homes import Homes
from slacksim.limits import Limits
from slacksim.model import App, Channel, JsonObject, Kind, Message, Team
from slacksim.socket_mode import SocketMode
from slacksim.views import Views
from slacksim.world import World

SCOPE_PREFIX = {Kind.PUBLIC: "channels", Kind.PRIVATE: "groups", Kind.IM: "im", Kind.MPIM: "mpim"}


class Arguments:
    """Arguments as a form or as JSON: Slack accepts numbers, booleans and lists as text in both."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise explained("invalid_arguments", f"missing required field: {name}")
        return value

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        try:
            return int(float(value))
        except ValueError:
            raise explained("invalid_arguments", f"must be a number: {name}") from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.text(name)
        return value.lower() in {"true", "1"} if value else default

    def names(self, name: str) -> list[str]:
        """A list given as JSON or separated by commas."""
        value = self.given.get(name)
        if isinstance(value, list):
            return [str(item) for item in cast("list[Any]", value)]
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def parsed(self, name: str, error: str) -> Any:
        """A JSON value, given as such or as its text; None when absent."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None

    def objects(self, name: str, error: str) -> list[JsonObject] | None:
        value = self.parsed(name, error)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(i, dict) for i in cast("list[Any]", value)):
            raise SlackError(error)
        return cast("list[JsonObject]", value)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed authentication."""

    world: World
    arguments: Arguments
    sockets: SocketMode
    faults: Faults
    limits: Limits
    views: Views
    homes: Homes
    url: str
    teams: tuple[Team, ...] = ()

    @property
    def app(self) -> App:
        return self.world.app

    def require(self, scope: str) -> None:
        """Raises missing_scope unless the app was granted the scope."""
        if scope not in self.app.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(self.app.scopes))

    def channel(self, argument: str = "channel") -> Channel:
        """The conversation named by an argument, if the bot may know of it."""
        reference = self.arguments.required(argument)
        channel = self.world.find_channel(reference)
        if channel is None or (channel.kind is not Kind.PUBLIC and self.app.user_id not in channel.members):
            raise SlackError("channel_not_found")
        return channel

    def joined(self, argument: str = "channel") -> Channel:
        """The same, when the bot must be a member."""
        channel = self.channel(argument)
        if self.app.user_id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def readable(self) -> Channel:
        """The same, with the history scope of its kind."""
        channel = self.channel()
        self.require(f"{SCOPE_PREFIX[channel.kind]}:history")
        return self.joined()

    def message(self, channel: Channel, argument: str = "ts", error: str = "message_not_found") -> Message:
        message = channel.messages.get(self.arguments.required(argument))
        if message is None or message.subtype == "tombstone":
            raise SlackError(error)
        return message

    def metadata(self) -> JsonObject | None:
        """The metadata of a message, where the call gives any."""
        given = self.arguments.parsed("metadata", "invalid_metadata_format")
        if given is None:
            return None
        if not isinstance(given, dict) or "event_type" not in given or "event_payload" not in given:
            raise SlackError("invalid_metadata_format")
        return {"event_type": given["event_type"], "event_payload": given["event_payload"]}


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method.

    Attributes:
        scope: The scope it needs, empty for none; those that depend on the conversation are asked for inside.
        tier: Slack's rate limit tier, 1 to 4.
        caller: Whose token it wants; ``anyone`` works without one.
    """

    name: str
    handle: Callable[[Call], JsonObject]
    scope: str = ""
    tier: Literal[1, 2, 3, 4] = 3
    caller: Literal["bot", "app", "anyone"] = "bot"
