from __future__ import annotations

from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.slack.permalink import permalink

URL = "https://lantern.slack.com/"
CHANNEL = ChannelId("C1")
PARENT, REPLY = MessageTs("1700000000.000100"), MessageTs("1700000001.000200")


def test_a_message_is_addressed_by_its_channel_and_ts() -> None:
    assert permalink(URL, CHANNEL, PARENT) == "https://lantern.slack.com/archives/C1/p1700000000000100"


def test_a_reply_also_names_its_thread() -> None:
    assert permalink(URL, CHANNEL, REPLY, PARENT) == (
        "https://lantern.slack.com/archives/C1/p1700000001000200?thread_ts=1700000000.000100&cid=C1"
    )


def test_a_parent_is_addressed_like_any_message() -> None:
    assert permalink(URL, CHANNEL, PARENT, PARENT) == permalink(URL, CHANNEL, PARENT)
