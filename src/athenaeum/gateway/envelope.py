"""The outer form of what Slack delivers, over either transport: events, and clicks on our buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from athenaeum.slack.incoming import Payload

INTERACTIONS = frozenset({"block_actions", "view_submission"})
"""The interactions that are taken in; of others there is nothing to keep."""

VISIT = "app_home_opened"
"""The event of somebody who opens a tab of the app. It says nothing that was said, and shows again what we published:
it is no part of the log."""
COMMAND = "slash_commands"
"""The type of an envelope that holds a slash command, as Socket Mode calls it."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event, or a click, and the installation that it is for."""

    team: str | None
    """None for an app that was installed for a whole organisation."""
    enterprise: str | None
    event_id: str
    type: str
    event: Payload
    sent_at: datetime | None = None
    """Slack's clock when it happened, in whole seconds; None for clicks."""
    body: Payload | None = None
    """The whole of it, for the log; None for what is no part of what was said: clicks, commands, visits."""


def read_envelope(body: object) -> Envelope:
    """The envelope of an `event_callback`, or of an interaction, which is its own event.

    An event that several workspaces share names the one that gave us leave in `authorizations`; its
    own `team_id` may be a stranger's, or null on Enterprise Grid.

    Raises:
        Malformed: it names no installation or has no event.
    """
    outer = Payload.of(body)
    if outer.text("type") in INTERACTIONS:
        return _interaction(outer)
    if outer.text("command"):
        return _command(outer)
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
        sent_at=_moment(outer.fields.get("event_time")),
        body=None if event.text("type") == VISIT else outer,
    )


def _command(form: Payload) -> Envelope:
    """A slash command, which is a flat form; its trigger is the only id it has."""
    return Envelope(
        team=form.optional_identifier("team_id"),
        enterprise=form.optional_identifier("enterprise_id"),
        event_id=form.text("trigger_id")[:128],
        type=COMMAND,
        event=form,
    )


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, int) and 0 < seconds < 2**33:
        return datetime.fromtimestamp(seconds, UTC)
    return None


def _interaction(payload: Payload) -> Envelope:
    team, enterprise = payload.child("team"), payload.child("enterprise")
    action = next(iter(payload.children("actions")), Payload({}))
    return Envelope(
        team=team.optional_identifier("id") if team else None,
        enterprise=enterprise.optional_identifier("id") if enterprise else None,
        event_id=action.text("action_ts") or (payload.child("view") or Payload({})).text("id"),
        type=payload.identifier("type"),
        event=payload,
    )
