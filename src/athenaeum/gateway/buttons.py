"""What a click on one of our buttons says; the payload of the interaction stands in the place of the event."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from athenaeum.conversations.feedback import Rating
from athenaeum.domain.identity import AppointmentId, ApprovalId, MessageTs, TurnId
from athenaeum.gateway.changes import (
    Accepted,
    CalledOff,
    Change,
    Clicked,
    Disowned,
    Escalated,
    Explained,
    Halted,
    Nothing,
    Rated,
    Repeated,
    Resolved,
)
from athenaeum.slack.formatting import (
    AGAIN,
    APPROVE,
    CALL_OFF,
    DENY,
    FEEDBACK,
    HUMAN,
    REASON,
    RESOLVED,
    REVEAL,
    STOP,
    read_occasion,
)
from athenaeum.slack.formatting.home import ERASE
from athenaeum.slack.incoming import Malformed, Payload, moment

if TYPE_CHECKING:
    from collections.abc import Callable


def read_click(event: Payload) -> Change:
    """The change that a `block_actions` wants.

    Raises:
        Malformed: One of our buttons carries something else than what we gave it.
    """
    action = next(iter(event.children("actions")), Payload({}))
    read = _BUTTONS.get(action.text("action_id"))
    return read(event, action) if read else Nothing()


def read_submission(event: Payload) -> Change:
    """The change that a filled modal wants.

    Raises:
        Malformed: One of our modals carries something else than what we gave it.
    """
    view = event.child("view") or Payload({})
    if view.text("callback_id") != REASON:
        return Nothing()
    try:
        turn, at = read_occasion(view.text("private_metadata"))
    except ValueError:
        raise Malformed("view: the metadata is none of ours") from None
    filled = view
    for name in ("state", "values", REASON, REASON):
        filled = filled.child(name) or Payload({})
    return Explained(event.user(), turn, at, filled.text("value"))


def read_stop(event: Payload) -> Change:
    """The change that Slack's own Stop button wants, of an app that is an agent."""
    return Halted(event.channel(), event.ts("thread_ts"), event.user(), None)


def _approve(event: Payload, action: Payload) -> Change:
    return Clicked(event.channel(), _thread(event), event.user(), ApprovalId(_value(action)), approved=True)


def _deny(event: Payload, action: Payload) -> Change:
    return Clicked(event.channel(), _thread(event), event.user(), ApprovalId(_value(action)), approved=False)


def _stop(event: Payload, action: Payload) -> Change:
    return Halted(event.channel(), _thread(event), event.user(), TurnId(_value(action)))


def _again(event: Payload, action: Payload) -> Change:
    return Repeated(event.channel(), _thread(event), event.user(), TurnId(_value(action)))


def _call_off(event: Payload, action: Payload) -> Change:
    return CalledOff(event.channel(), _thread(event), event.user(), AppointmentId(_value(action)))


def _disown(event: Payload, _: Payload) -> Change:
    return Disowned(event.user())


def _accept(event: Payload, action: Payload) -> Change:
    return Accepted(event.channel(), event.user(), TurnId(_value(action)))


def _call(event: Payload, action: Payload) -> Change:
    at = moment(action.ts("action_ts"))
    return Escalated(event.channel(), _thread(event), event.user(), TurnId(_value(action)), at)


def _resolve(event: Payload, action: Payload) -> Change:
    return Resolved(event.channel(), event.user(), TurnId(_value(action)))


def _rate(event: Payload, action: Payload) -> Change:
    said, _, turn = action.text("value").partition(":")
    try:
        verdict, rated = Rating(said), TurnId(UUID(turn))
    except ValueError:
        raise Malformed("actions: the value is no verdict of ours") from None
    at = moment(action.ts("action_ts"))
    return Rated(event.channel(), event.user(), rated, verdict, at, trigger=event.text("trigger_id"))


def _thread(event: Payload) -> MessageTs | None:
    return (event.child("container") or Payload({})).optional_ts("thread_ts")


def _value(action: Payload) -> UUID:
    try:
        return UUID(action.text("value"))
    except ValueError:
        raise Malformed("actions: the value is no id of ours") from None


_BUTTONS: dict[str, Callable[[Payload, Payload], Change]] = {
    APPROVE: _approve,
    DENY: _deny,
    STOP: _stop,
    AGAIN: _again,
    CALL_OFF: _call_off,
    REVEAL: _accept,
    ERASE: _disown,
    HUMAN: _call,
    RESOLVED: _resolve,
    FEEDBACK: _rate,
    **{f"{FEEDBACK}_{verdict}": _rate for verdict in Rating},
}
