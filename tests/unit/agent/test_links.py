"""Addresses of messages in what people write."""

from __future__ import annotations

import pytest

from athenaeum.agent.links import MessageLink, find_links
from athenaeum.domain.identity import ChannelId, MessageTs

URL = "https://lantern.slack.com/"
MESSAGE = MessageLink(ChannelId("C0000001"), MessageTs("1700000000.000100"), MessageTs("1700000000.000100"))
REPLY = MessageLink(ChannelId("C0000001"), MessageTs("1700000000.000100"), MessageTs("1690000000.000200"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("<https://lantern.slack.com/archives/C0000001/p1700000000000100>", [MESSAGE]),
        ("see <https://lantern.slack.com/archives/C0000001/p1700000000000100|this>, please", [MESSAGE]),
        (
            "https://lantern.slack.com/archives/C0000001/p1700000000000100?thread_ts=1690000000.000200&cid=C0000001",
            [REPLY],
        ),
        ("https://lantern.slack.com/archives/C0000001/p1700000000000100?thread_ts=' OR 1=1", [MESSAGE]),
        ("https://lantern.slack.com/archives/C0000001/p1700000000000100 " * 2, [MESSAGE]),
        ("https://harbour.slack.com/archives/C0000001/p1700000000000100", []),
        ("https://lantern.slack.com.attacker.io/archives/C0000001/p1700000000000100", []),
        ("https://lantern.slack.com/archives/C0000001", []),
        ("no link at all", []),
    ],
)
def test_links_to_messages_of_the_own_workspace_are_found(words: str, found: list[MessageLink]) -> None:
    assert find_links(words, URL) == found
