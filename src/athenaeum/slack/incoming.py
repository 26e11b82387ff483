"""Slack's JSON, read without trust: every field is checked when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.errors import AthenaeumError

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TS = re.compile(r"([0-9]{1,11})\.([0-9]{1,6})")
# PostgreSQL stores neither: NUL in any text, lone surrogates in UTF-8.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = 10**11  # a greater number is one of milliseconds: as seconds it would be after the year 5000
_LATEST = 10**14


class Malformed(AthenaeumError):  # noqa: N818 - named for what it means, like the other errors
    """A payload is not what Slack's documentation says; the message names the field."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One JSON object; readers raise Malformed where a field is missing or of another shape."""

    fields: Mapping[str, Any]

    @classmethod
    def of(cls, value: object) -> Payload:
        """Wrap what JSON gave."""
        if not isinstance(value, Mapping):
            raise Malformed(f"expected a JSON object, got {type(value).__name__}")
        return cls(cast("Mapping[str, Any]", value))

    def text(self, key: str) -> str:
        """A string that can be stored; empty when the field is missing or not a string."""
        value = self.fields.get(key)
        if not isinstance(value, str):
            return ""
        return value if value.isascii() and "\0" not in value else _UNSTORABLE.sub("", value)

    def identifier(self, key: str) -> str:
        """An id that must be there."""
        if (value := self.optional_identifier(key)) is None:
            raise Malformed(f"{key}: no id")
        return value

    def optional_identifier(self, key: str) -> str | None:
        """An id, or None when the field is missing, null or empty."""
        value = self.fields.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise Malformed(f"{key}: not an id")
        return value

    def user(self, key: str = "user") -> UserId:
        """A person's id; some events carry the whole person in its place."""
        value = self.fields.get(key)
        return UserId(Payload.of(value).identifier("id") if isinstance(value, Mapping) else self.identifier(key))

    def channel(self, key: str = "channel") -> ChannelId:
        """A channel's id; some events carry the whole channel in its place."""
        value = self.fields.get(key)
        return ChannelId(Payload.of(value).identifier("id") if isinstance(value, Mapping) else self.identifier(key))

    def ts(self, key: str = "ts") -> MessageTs:
        """A message's id that must be there."""
        if (value := self.optional_ts(key)) is None:
            raise Malformed(f"{key}: no timestamp")
        return value

    def optional_ts(self, key: str) -> MessageTs | None:
        """A message's id, or None when the field is missing or null."""
        value = self.fields.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not _TS.fullmatch(value):
            raise Malformed(f"{key}: not a timestamp")
        return MessageTs(value)

    def moment(self, key: str) -> datetime | None:
        """A time in seconds, or in milliseconds, as Slack dates what changes; None when there is none."""
        value = self.fields.get(key)
        if not isinstance(value, int) or not 0 < value < _LATEST:
            return None
        return _EPOCH + timedelta(milliseconds=value if value > _SECONDS else value * 1000)

    def flag(self, key: str) -> bool:
        """Whether the field is true."""
        return self.fields.get(key) is True

    def child(self, key: str) -> Payload | None:
        """The object in a field, or None when there is none."""
        value = self.fields.get(key)
        return Payload(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else None

    def children(self, key: str) -> list[Payload]:
        """The objects in a list; what is not an object is left out."""
        value = self.fields.get(key)
        if not isinstance(value, Sequence) or isinstance(value, str):
            return []
        items = cast("Sequence[Any]", value)
        return [Payload(cast("Mapping[str, Any]", item)) for item in items if isinstance(item, Mapping)]


def moment(ts: MessageTs) -> datetime:
    """When the message with this id was written, to the microsecond."""
    match = _TS.fullmatch(ts)
    if match is None:
        raise Malformed(f"not a timestamp: {ts[:32]!r}")
    seconds, fraction = match.groups()
    return _EPOCH + timedelta(seconds=int(seconds), microseconds=int(fraction.ljust(6, "0")))
