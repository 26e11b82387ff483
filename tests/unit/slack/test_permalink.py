from __future__ import annotations

import pytest

from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.slack.permalink import MessageLink, find_links, permalink

URL = "https://lantern.slack.com/"
CHANNEL = ChannelId("C1")
PARENT, REPLY = MessageTs("1700000000.000100"), MessageTs("1700000001.000200")
FOUND = MessageLink(ChannelId("C0000001"), MessageTs("1700000000.000100"), MessageTs("1700000000.000100"))
FOUND_REPLY = MessageLink(ChannelId("C0000001"), MessageTs("1700000000.000100"), MessageTs("1690000000.000200"))


def test_a_message_is_addressed_by_its_channel_and_ts() -> None:
    assert permalink(URL, CHANNEL, PARENT) == "https://lantern.slack.com/archives/C1/p1700000000000100"


def test_a_reply_also_names_its_thread() -> None:
    assert permalink(URL, CHANNEL, REPLY, PARENT) == (
        "https://lantern.slack.com/archives/C1/p1700000001000200?thread_ts=1700000000.000100&cid=C1"
    )


def test_a_parent_is_addressed_like_any_message() -> None:
    assert permalink(URL, CHANNEL, PARENT, PARENT) == permalink(URL, CHANNEL, PARENT)


def test_a_permalink_leads_back_to_its_message_and_its_thread() -> None:
    assert find_links(permalink(URL, CHANNEL, REPLY, PARENT), URL) == [MessageLink(CHANNEL, REPLY, PARENT)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("<https://lantern.slack.com/archives/C0000001/p1700000000000100>", [FOUND]),
        ("see <https://lantern.slack.com/archives/C0000001/p1700000000000100|this>, please", [FOUND]),
        (
            "https://lantern.slack.com/archives/C0000001/p1700000000000100?thread_ts=1690000000.000200&cid=C0000001",
            [FOUND_REPLY],
        ),
        ("https://lantern.slack.com/archives/C0000001/p1700000000000100?thread_ts=' OR 1=1", [FOUND]),
        ("https://lantern.slack.com/archives/C0000001/p1700000000000100 " * 2, [FOUND]),
        ("https://harbour.slack.com/archives/C0000001/p1700000000000100", []),
        ("https://lantern.slack.com.attacker.io/archives/C0000001/p1700000000000100", []),
        ("https://lantern.slack.com/archives/C0000001", []),
        ("no link at all", []),
    ],
)
def test_links_to_messages_of_the_own_workspace_are_found(words: str, found: list[MessageLink]) -> None:
    assert find_links(words, URL) == found
