"""A message to several bots at once."""

from __future__ import annotations

import pytest

from athenaeum.gateway.listener import Listener
from support.slack_events import BOT, Events, Store, take


@pytest.mark.parametrize("words", [f"<@UOTHERBOT> and <@{BOT}>: hello", f"<@{BOT}> ask <@UOTHERBOT> hello"])
async def test_a_mention_among_those_of_other_bots_is_one_question(
    listener: Listener, events: Events, store: Store, words: str
) -> None:
    ts = events.ts()
    await take(listener, events.mention(words, ts=ts), events.message(words, ts=ts))

    [turn] = await store.turns()
    assert "hello" in turn.question


async def test_a_message_to_other_bots_alone_is_none(listener: Listener, events: Events, store: Store) -> None:
    await take(listener, events.message("<@UOTHERBOT> hello"))

    assert await store.turns() == []
