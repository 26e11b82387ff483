"""What was said while Slack delivered nothing is answered once, or only kept when it is stale."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from slacksim import events
from slacksim.model import Message
from support.product import Product, until


@contextmanager
def deaf(product: Product) -> Generator[None]:
    """Slack delivers nothing of what happens within, not even later, and has the app connect anew after it."""
    app = product.sim.world.app
    app.events = frozenset()
    try:
        yield
    finally:
        app.events = None
        product.sim.simulation.sockets.disconnect("refresh_requested")


async def turns_of(product: Product) -> list[str]:
    return [ts for (ts,) in await product.rows("SELECT message_ts FROM turns ORDER BY message_ts", own=True)]


async def test_a_question_that_was_never_delivered_is_answered_once(product: Product) -> None:
    with deaf(product):
        asked = product.ask("maya", "platform")
    await product.opened(asked)
    await product.answer(asked)

    told = {"type": "app_mention", "user": asked.user, "text": asked.text, "ts": asked.ts, "channel": asked.channel}
    late = events.callback({**told, "event_ts": asked.ts}, product.sim.world)
    product.sim.simulation.outbox.send(late)  # it comes after all
    await product.answer(asked)
    assert await turns_of(product) == [asked.ts]


async def test_a_direct_message_and_a_reply_in_an_old_thread_are_not_missed(product: Product) -> None:
    channel = product.sim.world.find_channel("platform")
    assert channel is not None
    root = next(message for message in channel.messages.values() if "about incidents" in message.text)
    direct = product.person("maya").open_direct([product.sim.world.app.user_id])
    with deaf(product):
        asked = product.ask("maya", "platform", thread=root)
        alone = product.say("maya", direct.id, "How do I retry a failed event?")
    for message in (asked, alone):
        await product.opened(message)
        await product.answer(message)


async def test_a_stale_question_is_kept_and_not_answered(product: Product) -> None:
    with deaf(product):
        now = product.ask("maya", "platform")
        half_an_hour_ago = f"{time.time() - 1800:.6f}"
        stale = Message(half_an_hour_ago, now.channel, now.user, f"{product.bot} too late?")
        product.sim.world.post(stale)
    await product.opened(now)
    await product.answer(now)

    async def kept() -> bool:
        return bool(await product.rows(f"SELECT 1 FROM slack_messages WHERE ts = '{stale.ts}'", own=True))

    await until(kept)
    assert await turns_of(product) == [now.ts]
