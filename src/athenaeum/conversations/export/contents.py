"""What an export's indexes list: people, and conversations with the folder that holds what was said there.

Messages name no channel: their folder does, by a name that may have been another channel's before. Who may read a
conversation follows from the index that lists it; a folder that cannot be told apart is not taken.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from athenaeum.conversations.archive.channels import Channel, read_channel
from athenaeum.conversations.archive.people import Person, read_person
from athenaeum.conversations.export.container import INDEXES, PEOPLE, ExportFile
from athenaeum.conversations.export.records import Records
from athenaeum.conversations.export.report import Quarantined
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import UserId
from athenaeum.slack.incoming import Malformed, Payload

_KINDS = dict(
    zip(INDEXES, (ChannelKind.PUBLIC, ChannelKind.PRIVATE, ChannelKind.DIRECT, ChannelKind.GROUP), strict=True)
)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)\.json")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A listed conversation; `members` is None when the export does not say who they are."""

    channel: Channel
    members: frozenset[UserId] | None
    folders: tuple[str, ...]
    """Under which names its folder may be found, the surest first."""


@dataclass(slots=True)
class Contents:
    """What is in an export."""

    people: dict[UserId, Person] = field(default_factory=dict[UserId, Person])
    teams: set[str] = field(default_factory=set[str])
    """The workspaces that people belong to, strangers left out."""
    conversations: dict[str, Conversation] = field(default_factory=dict[str, Conversation])
    """By channel id."""
    days: dict[str, list[ExportFile]] = field(default_factory=dict[str, list[ExportFile]])
    """Files of messages by channel id, the oldest day first."""
    unlisted: list[str] = field(default_factory=list[str])
    quarantined: list[Quarantined] = field(default_factory=list[Quarantined])
    taken_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """The export is at least as new as this: the day of its newest message."""


def read_contents(files: Mapping[str, ExportFile]) -> Contents:
    """Read the indexes, and find each conversation's files."""
    contents = Contents()
    for name in PEOPLE:
        if name in files:
            _read_people(name, files[name], contents)
    for name, kind in _KINDS.items():
        if name in files:
            _read_index(name, files[name], kind, contents)
    _find_days(files, contents)
    return contents


def _read_people(name: str, leaf: ExportFile, contents: Contents) -> None:
    for position, raw in _records(name, leaf, contents):
        try:
            person = read_person(raw)
        except Malformed as error:
            contents.quarantined.append(Quarantined.of(name, position, str(error), raw))
            continue
        contents.people[person.user_id] = person
        team = raw.get("team_id")
        if isinstance(team, str) and not raw.get("is_stranger"):
            contents.teams.add(team)


def _read_index(name: str, leaf: ExportFile, kind: ChannelKind, contents: Contents) -> None:
    for position, raw in _records(name, leaf, contents):
        try:
            found = _conversation(raw, kind)
        except Malformed as error:
            contents.quarantined.append(Quarantined.of(name, position, str(error), raw))
            continue
        known = contents.conversations.get(found.channel.channel_id)
        if known is None or known.channel.kind is ChannelKind.PUBLIC:  # listed twice, it is what fewer may read
            contents.conversations[found.channel.channel_id] = found


def _records(name: str, leaf: ExportFile, contents: Contents) -> Iterator[tuple[int, Mapping[str, Any]]]:
    records = Records(leaf)
    for position, record in enumerate(records):
        if isinstance(record, Malformed):
            contents.quarantined.append(Quarantined.of(name, position, str(record)))
        else:
            yield position, record
    if records.fault:
        contents.quarantined.append(Quarantined.of(name, -1, records.fault))


def _conversation(raw: Mapping[str, Any], kind: ChannelKind) -> Conversation:
    channel, payload = read_channel(raw), Payload.of(raw)
    if payload.flag("is_mpim"):
        kind = ChannelKind.GROUP
    elif kind is ChannelKind.PUBLIC and payload.flag("is_private"):
        kind = ChannelKind.PRIVATE
    listed = raw.get("members")
    members = (
        frozenset(UserId(Payload({"id": user}).identifier("id")) for user in listed)
        if isinstance(listed, list)
        else None
    )
    return Conversation(
        channel=replace(channel, kind=kind),
        members=members,
        folders=tuple(name for name in (str(channel.channel_id), channel.name) if name),
    )


def _find_days(files: Mapping[str, ExportFile], contents: Contents) -> None:
    folders: defaultdict[str, list[tuple[str, ExportFile]]] = defaultdict(list)
    for name, leaf in files.items():
        path = PurePosixPath(name)
        if len(path.parts) == 2 and _DAY.fullmatch(path.name):
            folders[path.parts[0]].append((name, replace(leaf, name=name)))
    newest = max((PurePosixPath(name).name for days in folders.values() for name, _ in days), default=None)
    if newest is not None:
        contents.taken_at = _moment(newest) or contents.taken_at
    for folder, days in folders.items():
        owner = _owner(folder, contents)
        if owner is None:
            contents.unlisted.append(folder)
        else:
            contents.days.setdefault(owner, []).extend(leaf for _, leaf in sorted(days, key=lambda day: day[0]))
    contents.unlisted.sort()


def _owner(folder: str, contents: Contents) -> str | None:
    if folder in contents.conversations:  # by its id: no other can be meant
        return folder
    owners = [key for key, found in contents.conversations.items() if folder in found.folders]
    return owners[0] if len(owners) == 1 else None


def _moment(day: str) -> datetime | None:
    try:
        return datetime.strptime(day, "%Y-%m-%d.json").replace(tzinfo=UTC)
    except ValueError:
        return None
