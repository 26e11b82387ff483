"""An event under an id that Slack has replaced since tells of the channel as it is called now."""

from __future__ import annotations

from dataclasses import replace

from athenaeum.domain.identity import ChannelId
from athenaeum.gateway.changes import Change, HomeOpened, Met, Nothing, Press, Regranted, Relocated, Written


def redirected(change: Change, channel: ChannelId) -> Change:
    """The same change, in `channel`."""
    if isinstance(change, Press):  # a button stands where its message stands
        return change
    match change:
        case Written(message=message, speech=speech):
            there = replace(message, channel=channel)
            return replace(change, message=there, speech=replace(speech, channel=channel) if speech else None)
        case Met() | Nothing() | Regranted() | Relocated() | HomeOpened():
            return change
        case _:
            return replace(change, channel=channel)
