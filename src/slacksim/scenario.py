"""Scenario files: a workspace written down in YAML or JSON.

team: {name: Northwind, domain: northwind}   # optional: id, suggestions (questions that the page offers), enterprise
                                      # (the id of its organisation)
app: {name: athenaeum}                # optional: user_id, bot_token, app_token, signing_secret, scopes,
                                      # events (subscriptions; all by default), events_url
users:
  - {name: maya, real_name: Maya Chen, title: Platform engineer}
  - {name: vera, real_name: Vera Holt, is_guest: true}      # also: id, color, is_bot
channels:
  - name: general                     # kind: public (default) or private; also: id, topic, purpose,
    members: [maya, vera, athenaeum]  # is_archived; members are names or ids, "*" is everyone but guests
    messages:
      - user: maya
        text: "When is the freeze, <@athenaeum>?"           # <@name> and <#name> become ids
        ago: 3600                     # seconds before now; or ts: "1763600000.000100"
        reactions: {eyes: [vera]}
        replies:
          - {user: vera, text: Friday at noon., ago: 3500}
  - {kind: im, members: [maya, athenaeum]}                  # also kind: mpim
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slacksim import rich_text
from slacksim.errors import ScenarioError
from slacksim.ids import stable_id
from slacksim.model import App, Channel, Kind, Message, Team, User
from slacksim.timestamps import seconds_ago
from slacksim.world import World

COLORS = ("a1493f", "3b6ea5", "8a5a9e", "b07a1e", "5b7a3a", "2f7f86", "8c4a6b", "5f6b3a")
REFERENCE = re.compile(r"<([@#])([^<>|]+)>")
BUILTIN = Path(__file__).parent / "scenarios" / "small.yaml"


class Entry(BaseModel):
    """A part of the file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class TeamEntry(Entry):
    name: str = "Local"
    domain: str = "local"
    id: str | None = None
    enterprise: str | None = None
    suggestions: list[str] = []


class AppEntry(Entry):
    name: str = "athenaeum"
    user_id: str | None = None
    bot_token: str | None = None
    app_token: str | None = None
    signing_secret: str | None = None
    scopes: list[str] | None = None
    events: list[str] | None = None
    events_url: str = ""


class UserEntry(Entry):
    name: str = Field(pattern=r"^[a-z0-9._-]+$")
    real_name: str = ""
    title: str = ""
    id: str | None = None
    color: str | None = None
    is_guest: bool = False
    is_bot: bool = False


class ReplyEntry(Entry):
    user: str
    text: str
    ago: float | None = None
    ts: str | None = Field(default=None, pattern=r"^\d{1,12}\.\d{6}$")
    reactions: dict[str, list[str]] = {}


class MessageEntry(ReplyEntry):
    replies: list[ReplyEntry] = []


class ChannelEntry(Entry):
    name: str = Field(default="", pattern=r"^[a-z0-9_-]{0,80}$")
    kind: Literal["public", "private", "im", "mpim"] = "public"
    id: str | None = None
    members: list[str] = ["*"]
    topic: str = ""
    purpose: str = ""
    is_archived: bool = False
    messages: list[MessageEntry] = []


class Scenario(Entry):
    """The whole file."""

    team: TeamEntry = TeamEntry()
    app: AppEntry = AppEntry()
    users: list[UserEntry] = []
    channels: list[ChannelEntry] = []


def load(path: Path = BUILTIN) -> World:
    """The workspace of a file; the small builtin one by default.

    Raises:
        ScenarioError: The file cannot be read, or its content is not a scenario.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror or error}. Give the path of a scenario file.") from None
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    return build(content or {}, source=str(path))


def build(content: Any, *, source: str = "scenario") -> World:
    """The workspace of a scenario given as a dict."""
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise ScenarioError(f"{source}: {place}: {first['msg']}") from None
    return _Builder(scenario, source).world


class _Builder:
    def __init__(self, scenario: Scenario, source: str) -> None:
        self._source = source
        team = Team(
            id=scenario.team.id or stable_id("T", scenario.team.domain),
            name=scenario.team.name,
            domain=scenario.team.domain,
            suggestions=tuple(scenario.team.suggestions),
            enterprise=scenario.team.enterprise,
        )
        self.world = World(team, _app(scenario.app, team.id))
        for index, entry in enumerate(scenario.users):
            self.world.add_user(self._user(entry, index))
        for entry in scenario.channels:
            self._place_channel(entry)
        for entry in scenario.channels:
            self._place_messages(entry)

    def _user(self, entry: UserEntry, index: int) -> User:
        team_id = self.world.team.id
        return User(
            id=entry.id or stable_id("U", team_id, entry.name),
            name=entry.name,
            real_name=entry.real_name or entry.name.capitalize(),
            title=entry.title,
            color=entry.color or COLORS[index % len(COLORS)],
            is_bot=entry.is_bot,
            is_guest=entry.is_guest,
            bot_id=stable_id("B", team_id, entry.name) if entry.is_bot else None,
        )

    def _member(self, reference: str, place: str) -> str:
        user = self.world.find_user(reference)
        if user is None:
            raise ScenarioError(f"{self._source}: {place}: no user {reference!r}. Add it under users.")
        return user.id

    def _members(self, entry: ChannelEntry) -> list[str]:
        place = f"channel {entry.name or entry.kind}"
        people: list[str] = []
        for reference in entry.members:
            if reference == "*":
                people += [user.id for user in self.world.users.values() if not user.is_guest]
            else:
                people.append(self._member(reference, place))
        return list(dict.fromkeys(people))

    def _place_channel(self, entry: ChannelEntry) -> None:
        members = self._members(entry)
        if entry.kind in {"im", "mpim"}:
            self.world.open_direct(members)
            return
        if not entry.name:
            raise ScenarioError(f"{self._source}: a {entry.kind} channel needs a name.")
        self.world.add_channel(
            Channel(
                id=entry.id or stable_id("C", self.world.team.id, entry.name),
                name=entry.name,
                kind=Kind(entry.kind),
                creator=members[0] if members else self.world.app.user_id,
                created=int(float(seconds_ago(0))),
                members=members,
                topic=entry.topic,
                purpose=entry.purpose,
                is_archived=entry.is_archived,
                is_general=entry.name == "general",
            )
        )

    def _place_messages(self, entry: ChannelEntry) -> None:
        if entry.kind in {"im", "mpim"}:
            channel, _ = self.world.open_direct(self._members(entry))
        else:
            found = self.world.find_channel(entry.id or f"#{entry.name}")
            assert found is not None
            channel = found
        for message in entry.messages:
            parent = self._place_message(channel, message, thread_ts=None)
            for reply in message.replies:
                self._place_message(channel, reply, thread_ts=parent.ts)

    def _place_message(self, channel: Channel, entry: ReplyEntry, *, thread_ts: str | None) -> Message:
        place = f"message {entry.text[:30]!r}"
        user = self.world.users[self._member(entry.user, place)]
        ts = entry.ts or (seconds_ago(entry.ago) if entry.ago is not None else self.world.timestamps.next())
        while ts in channel.messages:
            seconds, micros = ts.split(".")
            ts = f"{seconds}.{int(micros) + 1:06d}"
        text = REFERENCE.sub(self._resolved, entry.text)
        stored = rich_text.stored(text)
        message = Message(
            ts=ts,
            channel=channel.id,
            user=user.id,
            text=stored,
            blocks=[rich_text.block(stored, stable_id("", ts)[:5])],
            thread_ts=thread_ts,
            bot_id=user.bot_id,
            app_id=self.world.app.id if user.id == self.world.app.user_id else None,
            team=self.world.team.id,
            client_msg_id=None if user.is_bot else stable_id("", channel.id, ts).lower(),
            reactions={
                name: [self._member(person, place) for person in people] for name, people in entry.reactions.items()
            },
        )
        return self.world.post(message)

    def _resolved(self, match: re.Match[str]) -> str:
        sign, name = match.groups()
        found = self.world.find_user(name) if sign == "@" else self.world.find_channel(name)
        return f"<{sign}{found.id}>" if found else match.group()


def _app(entry: AppEntry, team_id: str) -> App:
    app = App.named(entry.name, team_id, user_id=entry.user_id or "")
    app.bot_token = entry.bot_token or app.bot_token
    app.app_token = entry.app_token or app.app_token
    app.signing_secret = entry.signing_secret or app.signing_secret
    app.scopes = entry.scopes if entry.scopes is not None else app.scopes
    app.events = frozenset(entry.events) if entry.events is not None else None
    app.events_url = entry.events_url
    return app
