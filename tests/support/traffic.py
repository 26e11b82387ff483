"""A workspace's traffic as Slack's events tell it, and what the archive makes of it."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.archive import channels, people
from athenaeum.conversations.archive.channels import Channel
from athenaeum.conversations.archive.people import Person
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, TenantId, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.envelope import read_envelope
from athenaeum.gateway.intake import Intake

OLD, NEW = "C0OLD", "C0NEW"
"""One channel gets another id at some time."""
CHANNELS = ("C0001", "C0002", OLD)
USERS = ("U0001", "U0002", "U0003")
_START = 1_700_000_000
_TOGETHER = 1000
_TABLES = {
    "slack_messages": "indexed_at",
    "slack_message_versions": "",
    "slack_reactions": "",
    "slack_channels": "updated_at, members_read_at, history_read_to, history_read_at",
    "slack_channel_moves": "",
    "slack_moves": "",
    "slack_members": "",
    "slack_users": "updated_at",
    "slack_events": "received_at, erased_at",
}
"""What the archive consists of, and which columns tell of the arrival and not of Slack."""

Body = dict[str, Any]
Picture = dict[str, list[str]]


@dataclass(slots=True)
class Traffic:
    """Events in Slack's order; every one has an id and a time of its own."""

    choices: random.Random
    moves: bool = True
    now: int = 0
    said: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    moved: bool = False

    def events(self, count: int) -> Iterator[Body]:
        """So many events, one after the other; a few have a twin beside."""
        for _ in range(count):
            yield self._event()

    def _event(self) -> Body:
        acts = [self._say] * 6 + [self._edit] * 4 + [self._react] * 4 + [self._delete, self._unfurl, self._twin]
        acts += [self._come_or_go, self._rename, self._archive, self._introduce, self._unknown]
        if self.moves and not self.moved:
            acts.append(self._move)
        act = self.choices.choice(acts)
        return act() if self.said else self._say()

    def _ts(self) -> str:
        # three events in a second, as Slack dates edits by whole seconds
        self.now += 1
        return f"{_START + self.now // 3}.{self.now:06d}"

    def _told(self, event: Body) -> Body:
        stamp = self._ts()
        outer = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{self.now:09d}", "token": "not to be kept"}
        return {**outer, "event": {"event_ts": stamp, **event}}

    def _channel(self) -> str:
        chosen = self.choices.choice(CHANNELS)
        return NEW if chosen == OLD and self.moved else chosen

    def _words(self) -> str:
        return f"words {self.choices.randrange(5)}"

    def _place(self) -> tuple[str, str]:
        channel, ts = self.choices.choice(self.said)
        return (NEW if channel == OLD and self.moved else channel), ts

    def _message(self, ts: str, **fields: Any) -> Body:
        author = random.Random(ts)  # who wrote a message, and whether a bot did, every event of it tells
        by = {"bot_id": "B0001"} if author.random() < 0.2 else {"user": author.choice(USERS)}
        return {"type": "message", **by, "ts": ts, "text": self._words(), **fields}

    def _say(self) -> Body:
        channel, ts = self._channel(), self._ts()
        fields: Body = {}
        if self.said and self.choices.random() < 0.3:
            fields["thread_ts"] = self.choices.choice(self.said)[1]
        if self.choices.random() < 0.2:
            address = "https://files.slack.test/F1?t=xox" + "e-1"
            fields |= {"subtype": "file_share", "files": [{"id": "F1", "name": "a.pdf", "url_private": address}]}
        self.said.append((channel, ts))
        return self._told({**self._message(ts, **fields), "channel": channel, "channel_type": "channel"})

    def _edit(self) -> Body:
        channel, ts = self._place()
        inner = self._message(ts, edited={"user": "U0001", "ts": f"{_START + self.now // 3}.000000"})
        return self._changed(channel, inner)

    def _unfurl(self) -> Body:
        channel, ts = self._place()
        return self._changed(channel, self._message(ts, attachments=[{"title": "a page"}]))

    def _changed(self, channel: str, inner: Body) -> Body:
        before = {**inner, "text": self._words()}
        event = {"type": "message", "subtype": "message_changed", "channel": channel, "channel_type": "channel"}
        return self._told({**event, "message": inner, "previous_message": before})

    def _delete(self) -> Body:
        channel, ts = self._place()
        event = {"type": "message", "subtype": "message_deleted", "channel": channel, "deleted_ts": ts}
        return self._told({**event, "previous_message": self._message(ts)})

    def _twin(self) -> Body:
        channel, ts = self._place()
        return self._told({**self._message(ts), "type": "app_mention", "channel": channel, "text": "words 0"})

    def _react(self) -> Body:
        channel, ts = self._place()
        kind = self.choices.choice(["reaction_added", "reaction_removed"])
        item = {"type": "message", "channel": channel, "ts": ts}
        who = {"user": self.choices.choice(USERS), "reaction": self.choices.choice(["eyes", "tada"])}
        return self._told({"type": kind, **who, "item": item})

    def _come_or_go(self) -> Body:
        kind = self.choices.choice(["member_joined_channel", "member_left_channel"])
        return self._told({"type": kind, "user": self.choices.choice(USERS), "channel": self._channel()})

    def _rename(self) -> Body:
        name = f"name-{self.choices.randrange(4)}"
        return self._told({"type": "channel_rename", "channel": {"id": self._channel(), "name": name}})

    def _archive(self) -> Body:
        kind = self.choices.choice(["channel_archive", "channel_unarchive"])
        return self._told({"type": kind, "channel": self._channel()})

    def _introduce(self) -> Body:
        user = {"id": self.choices.choice(USERS), "name": f"n{self.choices.randrange(4)}"}
        guest = {"is_restricted": self.choices.random() < 0.5, "deleted": self.choices.random() < 0.2}
        return self._told({"type": "user_change", "user": {**user, **guest}})

    def _unknown(self) -> Body:
        return self._told({"type": "a_thing_of_next_year", "words": "none"})

    def _move(self) -> Body:
        self.moved = True
        return self._told({"type": "channel_id_changed", "old_channel_id": OLD, "new_channel_id": NEW})


async def settle(database: DatabaseConnection, tenant: TenantId) -> None:
    """The workspace as it was read at the first start."""
    everyone = [Person(UserId(user), user, "", is_bot=False, is_guest=False, is_deleted=False) for user in USERS]
    async with database.session(tenant) as session:
        await people.save(session, everyone)
        for channel in (*CHANNELS, NEW):
            described = Channel(ChannelId(channel), channel, ChannelKind.PUBLIC, "", is_archived=False, is_shared=False)
            await channels.save(session, described)


async def deliver_in_order(database: DatabaseConnection, tenant: Tenant, told: Sequence[Body]) -> None:
    """Take in one after the other, each once; many share a transaction, which is half of what an event costs."""
    async with _Together(database.url, pool_size=1) as together:
        intake = Intake(together)
        for start in range(0, len(told), _TOGETHER):
            async with together.transaction(tenant.id):
                for body in told[start : start + _TOGETHER]:
                    await intake.take_in(read_envelope(body), tenant)


class _Together(DatabaseConnection):
    """Whoever wants a session is given the one that is open."""

    @asynccontextmanager
    async def transaction(self, tenant: TenantId) -> AsyncGenerator[None]:
        async with super().session(tenant) as self._open:
            yield

    @asynccontextmanager
    async def session(self, tenant: TenantId | None = None) -> AsyncGenerator[AsyncSession]:
        assert tenant == self._open.sync_session.info["tenant"]
        yield self._open
        self._open.expunge_all()  # the next event knows nothing of this one


async def picture(database: DatabaseConnection, tenant: TenantId) -> Picture:
    """All that the archive holds of a tenant, told by Slack's words alone."""
    found: Picture = {}
    async with database.session(tenant) as session:
        for table, chance in _TABLES.items():
            columns = "{tenant_id" + "".join(f",{name.strip()}" for name in chance.split(",") if name) + "}"
            statement = text(f"SELECT (to_jsonb(t) - CAST(:chance AS text[]))::text FROM {table} AS t")
            found[table] = sorted(await session.scalars(statement, {"chance": columns}))
    return found


def differences(one: Picture, other: Picture) -> dict[str, list[str]]:
    """What stands in one of them alone, by table; empty when they are the same."""
    return {table: sorted(set(one[table]) ^ set(other[table]))[:6] for table in one if one[table] != other[table]}
