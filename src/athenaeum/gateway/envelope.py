"""The outer form of what Slack's Events API delivers, over either transport."""

from __future__ import annotations

from dataclasses import dataclass

from athenaeum.slack.incoming import Payload


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event and the installation that it is for."""

    team: str | None
    """None for an app that was installed for a whole organisation."""
    enterprise: str | None
    event_id: str
    type: str
    event: Payload


def read_envelope(body: object) -> Envelope:
    """The envelope of an `event_callback`.

    An event that several workspaces share names the one that gave us leave in `authorizations`; its
    own `team_id` may be a stranger's, or null on Enterprise Grid.

    Raises:
        Malformed: it names no installation or has no event.
    """
    outer = Payload.of(body)
    event = Payload.of(outer.fields.get("event"))
    authorizations = outer.children("authorizations")
    leave = authorizations[0] if authorizations else Payload({})
    return Envelope(
        team=leave.optional_identifier("team_id")
        or outer.optional_identifier("context_team_id")
        or outer.optional_identifier("team_id"),
        enterprise=leave.optional_identifier("enterprise_id")
        or outer.optional_identifier("context_enterprise_id")
        or outer.optional_identifier("enterprise_id"),
        event_id=outer.optional_identifier("event_id") or event.text("event_ts"),
        type=event.identifier("type"),
        event=event,
    )
