"""Digests and reminders, asked for and given through Slack; their time comes by moving what is written down."""

from __future__ import annotations

from sqlalchemy import text

from athenaeum.events import schedules
from athenaeum.slack.formatting import CALL_OFF
from slacksim.model import Message
from support.product import Product
from support.stage import said


def alone(product: Product) -> list[Message]:
    """What the bot has left standing in #platform itself."""
    channel = product.sim.world.find_channel("platform")
    assert channel is not None
    ours = product.sim.world.app.bot_id
    return [found for found in channel.messages.values() if found.bot_id == ours and not found.thread_ts]


async def come_due(product: Product, *, ago: str = "0 s", since: str = "since") -> None:
    """What was asked for is due, and everybody who looks finds it so."""
    async with product.running.database.session(product.tenant.id) as session:
        due = f"next_at = clock_timestamp() - interval '{ago}'"
        await session.execute(text(f"UPDATE appointments SET {due}, since = {since}"))
        await session.execute(text(f"UPDATE event_schedules SET {due} WHERE kind = 'appointment'"))
    for _ in range(2):
        async with product.running.database.session() as session:
            await schedules.tick(session)
    await product.rest()


async def press(product: Product, name: str, message: Message) -> None:
    payload = product.person(name).click(message.channel, message.ts, CALL_OFF)
    product.sim.simulation.outbox.send(payload, kind="interactive")
    await product.rest()


async def test_a_digest_is_given_once_stands_in_the_channel_and_is_left_out_when_nothing_was_said(
    product: Product,
) -> None:
    confirmed = await product.answer(product.ask("maya", "platform", "digest daily at 9:00"))
    assert "every day at 09:00" in said(confirmed)
    assert alone(product) == []

    product.sim.simulation.faults.client_msg_ids_count = False
    product.fault("chat.postMessage", "drop_after")  # Slack has it, and we do not know
    await come_due(product, since="now() - interval '1 day'")
    [digest] = alone(product)
    assert said(digest).startswith("**What was said in #platform since")
    assert "The billing service is deployed at 14:00 UTC. [" in said(digest)
    assert all("Thinking" not in shown for shown in product.seen[digest.ts])

    await come_due(product)  # nothing was said since
    assert alone(product) == [digest]


async def test_who_asked_for_a_digest_ends_it_with_its_button_and_others_are_told_so_alone(product: Product) -> None:
    confirmed = await product.answer(product.ask("maya", "platform", "digest every weekday at 9"))
    await press(product, "tom", confirmed)
    assert len(await product.rows("SELECT 1 FROM appointments", own=True)) == 1
    await press(product, "maya", confirmed)
    told = [(seen.user, "Only" in seen.text) for seen in product.sim.world.state.ephemerals]
    assert told == [(product.person("tom").user.id, True), (product.person("maya").user.id, False)]
    assert await product.rows("SELECT 1 FROM appointments", own=True) == []
    assert await product.rows("SELECT 1 FROM event_schedules WHERE kind = 'appointment'") == []


async def test_a_reminder_comes_in_its_thread_and_goes_with_the_message_that_asked_for_it(product: Product) -> None:
    kept = product.ask("maya", "platform", "remind me in 20 minutes to call Tom")
    dropped = product.ask("maya", "platform", "remind me every friday at 16:00 to write the report")
    await product.rest()
    listed = await product.answer(product.ask("maya", "platform", "reminders"))
    assert ["call Tom" in said(listed), "every Friday at 16:00" in said(listed)] == [True, True]
    assert "call Tom" not in said(await product.answer(product.ask("tom", "platform", "reminders")))

    product.person("maya").delete("platform", dropped.ts)
    await product.rest()
    await come_due(product, ago="3 days")
    _, reminder = product.replies(kept)
    assert "call Tom" in said(reminder)
    assert "It was due at" in said(reminder)
    assert product.replies(dropped) == []
    assert await product.rows("SELECT 1 FROM appointments", own=True) == []
    assert alone(product) == []
