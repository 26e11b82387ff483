"""The audience rule: what everyone who will read an answer may read, as SQL.

Passages with the same readers stand on one shelf: the documents, those of them that are open to everybody, or the
messages of one channel. The rule names the shelves; statements take passages from these alone, before anything is
ranked. Unknown means no.

    asked in                      shelves
    public channel                documents, public channels
    private channel, group        documents, public channels, that one
    direct message with the bot   documents, public channels, every channel the asker is a member of
    shown to the asker alone      the same, wherever it was asked
    anywhere, strangers present   open documents, the channel itself
    terminal                      documents, public channels

Strangers are present where the channel is shared with another organisation, where somebody in it or the asker is a
guest or unknown, where the asker was deactivated, and where it is not known who is in it. A channel that is not public
is read by its members only, and by nobody until they are known.
"""

from __future__ import annotations

from typing import Any, Final

from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import ChannelId
from athenaeum.domain.passage import Origin

DOCUMENTS: Final = "documents"
"""The shelf that the tenant's own people read; a channel's shelf is its id."""
OPEN_DOCUMENTS: Final = "open documents"
"""The shelf that guests and other organisations read too."""

_ALONE: Final = Place(ChannelId(""), "", ChannelKind.DIRECT)  # a room with nobody else in it

_PUBLIC = "SELECT channel_id FROM slack_channels WHERE kind = 'public'"

_STRANGERS = f"""
    :place_shared
    OR coalesce((SELECT is_shared FROM slack_channels WHERE channel_id = :place), :place <> '')
    OR NOT EXISTS (SELECT FROM slack_users WHERE user_id = :asker AND NOT is_guest AND NOT is_deleted)
    OR EXISTS (SELECT FROM slack_members LEFT JOIN slack_users USING (tenant_id, user_id)
               WHERE channel_id = :place AND is_guest IS NOT false)
    OR :place_kind <> '{ChannelKind.DIRECT}'
       AND NOT EXISTS (SELECT FROM slack_channels WHERE channel_id = :place AND members_read_at IS NOT NULL)
"""  # noqa: S608 - our own words

_READABLE = f"""
    SELECT channel_id FROM slack_channels AS channel
    WHERE CASE
        WHEN channel_id <> :place AND ({_STRANGERS}) THEN false
        WHEN kind = 'public' THEN true
        ELSE (channel_id = :place OR :place_kind = '{ChannelKind.DIRECT}')
             AND members_read_at IS NOT NULL
             AND EXISTS (SELECT FROM slack_members AS member
                         WHERE member.channel_id = channel.channel_id AND member.user_id = :asker)
    END
"""  # noqa: S608 - put together from our own words; values are parameters


# whether some shelf may be the asker's that this audience does not have
_NARROWED = f"""
    SELECT ({_STRANGERS}) OR :place_kind <> '{ChannelKind.DIRECT}' AND EXISTS (
        SELECT FROM slack_members JOIN slack_channels USING (tenant_id, channel_id)
        WHERE user_id = :asker AND channel_id <> :place AND kind <> 'public')
"""  # noqa: S608 - as above


def has_strangers(audience: Audience) -> tuple[str, dict[str, Any]]:
    """A SELECT of whether strangers are in an audience that has an asker, and its parameters.

    Of an asker alone it is whether they are a guest, unknown or gone.
    """
    return f"SELECT {_STRANGERS}", _parameters(audience)


def is_narrowed(audience: Audience) -> tuple[str, dict[str, Any]]:
    """A SELECT of whether the asker, alone, might read more than this audience, and its parameters."""
    return _NARROWED, _parameters(audience)


def readable_shelves(audience: Audience, origins: frozenset[Origin] | None = None) -> tuple[str, dict[str, Any]]:
    """A SELECT of the shelves that the audience may read, in a session of its tenant, and its parameters.

    `origins` narrows it to documents or to messages; None is both.
    """
    selects: list[str] = []
    parameters: dict[str, Any] = {}
    if origins is None or Origin.DOCUMENT in origins:
        among_us = "" if audience.asker is None else f" WHERE NOT ({_STRANGERS})"
        selects += [f"SELECT '{OPEN_DOCUMENTS}'", f"SELECT '{DOCUMENTS}'{among_us}"]
    if origins is None or Origin.MESSAGE in origins:
        selects.append(_PUBLIC if audience.asker is None else _READABLE)
    if selects and audience.asker is not None:
        parameters = _parameters(audience)
    if not selects:
        return "SELECT '' WHERE false", {}
    return " UNION ALL ".join(selects), parameters


def _parameters(audience: Audience) -> dict[str, Any]:
    place = audience.place or _ALONE
    return {
        "asker": audience.asker,
        "place": place.id,
        "place_kind": place.kind,
        "place_shared": place.is_shared,
    }
