"""A message to several bots at once."""

from __future__ import annotations

import pytest

from athenaeum.gateway.listener import Listener, Receipt
from support.slack_events import BOT, Events, Store


@pytest.mark.parametrize("words", [f"<@UOTHERBOT> and <@{BOT}>: hello", f"<@{BOT}> ask <@UOTHERBOT> hello"])
async def test_a_mention_among_those_of_other_bots_is_one_question(
    listener: Listener, events: Events, store: Store, words: str
) -> None:
    ts = events.ts()
    for told in (events.mention(words, ts=ts), events.message(words, ts=ts)):
        assert await listener.receive(told, transport="socket") is Receipt.TAKEN

    [turn] = await store.turns()
    assert "hello" in turn.question


async def test_a_message_to_other_bots_alone_is_none(listener: Listener, events: Events, store: Store) -> None:
    assert await listener.receive(events.message("<@UOTHERBOT> hello"), transport="socket") is Receipt.TAKEN

    assert await store.turns() == []
