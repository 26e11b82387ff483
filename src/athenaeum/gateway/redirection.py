"""An event under an id that Slack has replaced since tells of the channel as it is called now."""

from __future__ import annotations

from dataclasses import replace

from athenaeum.domain.identity import ChannelId
from athenaeum.gateway.changes import (
    Accepted,
    Change,
    Clicked,
    Halted,
    Met,
    Nothing,
    Rated,
    Relocated,
    Repeated,
    Written,
)


def redirected(change: Change, channel: ChannelId) -> Change:
    """The same change, in `channel`."""
    match change:
        case Written(message=message, speech=speech):
            there = replace(message, channel=channel)
            return replace(change, message=there, speech=replace(speech, channel=channel) if speech else None)
        case Met() | Nothing() | Clicked() | Halted() | Repeated() | Rated() | Accepted() | Relocated():
            return change
        case _:
            return replace(change, channel=channel)
