"""What is for us to answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from athenaeum.conversations.archive import Message
from athenaeum.domain.channel import ChannelKind, Surface
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.domain.message import InboundMessage
from athenaeum.gateway.admission import opens_turn
from athenaeum.gateway.changes import Written

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MESSAGE = Message(ChannelId("C1"), MessageTs("1.000000"), NOW, None, UserId("U1"), None, None, "hi", None)
SPEECH = InboundMessage(
    surface=Surface.SLACK,
    workspace="T1",
    enterprise=None,
    channel=ChannelId("C1"),
    channel_kind=ChannelKind.PUBLIC,
    sender=UserId("U1"),
    text="hi",
    ts=MessageTs("1.000000"),
    thread_ts=None,
    sent_at=NOW,
    mentions_bot=True,
)
ASKED = Written(MESSAGE, ChannelKind.PUBLIC, SPEECH)


@pytest.mark.parametrize(
    ("written", "answered"),
    [
        (ASKED, True),
        (replace(ASKED, speech=None), False),
        (replace(ASKED, speech=replace(SPEECH, mentions_bot=False)), False),
        (replace(ASKED, speech=replace(SPEECH, mentions_bot=False, channel_kind=ChannelKind.DIRECT)), True),
        (replace(ASKED, speech=replace(SPEECH, mentions_bot=False, channel_kind=ChannelKind.GROUP)), False),
        (replace(ASKED, speech=replace(SPEECH, sent_at=NOW - timedelta(hours=20))), True),
        (replace(ASKED, revised=True), False),
        (replace(ASKED, revised=True, now_mentions=True, message=replace(MESSAGE, edited_at=NOW)), True),
        (replace(ASKED, revised=True, now_mentions=True), False),
    ],
)
def test_a_person_who_addresses_us_now_is_answered(written: Written, answered: bool) -> None:
    assert opens_turn(written) is answered
