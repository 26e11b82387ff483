"""The only worker is killed at each step on the way to an approval and from there on, and a second one is started."""

from __future__ import annotations

import random

import pytest

from athenaeum.slack.formatting import APPROVE, DENY
from slacksim.model import Message
from slacksim.people import Person
from support import verdict
from support.lanes import each
from support.life import Fate
from support.note_worker import DONE, TABLE
from support.notes import search_post_answer
from support.ordeal import BeginOrdeal, Ordeal
from support.trials import Trial

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

NOTES = Trial(says=("I heard: ",), requests=3, reply=search_post_answer)
DOUBTFUL = "I heard: This was begun before and then interrupted"
SAMPLE = 2
"""Points of each half of the way in a usual run besides those of the change itself, always the same ones."""
CHANGE = {"step 1", "note 1", "step 2"}
"""The change is recorded as begun, made, and recorded as done; what was recorded before the click is replayed."""


async def begun(ordeal: Ordeal) -> Message:
    await ordeal.record.execute(TABLE)
    asked = ordeal.ask()
    await ordeal.take_in()
    return asked


async def propose(ordeal: Ordeal, fate: Fate) -> list[str]:
    """Bring the turn to where it waits for its asker; gives what the first process passed."""
    async with ordeal.alive(fate, role="notes") as first:
        killed = await ordeal.stopped_or_parked(first)
    if killed:
        await ordeal.record.expire()
        async with ordeal.alive(role="notes") as second:
            await ordeal.parked(second)
    return first.boundaries.passed


async def approve(ordeal: Ordeal, fate: Fate) -> list[str]:
    """The asker clicks, and the turn is brought to its end."""
    (shown,) = verdict.shown(ordeal.sim.world)
    click = Person.named(ordeal.sim.world, "maya").click(shown.channel, shown.ts, APPROVE)
    ordeal.sim.simulation.outbox.send(click, kind="interactive")
    await ordeal.take_in()
    async with ordeal.alive(fate, role="notes") as first:
        killed = await ordeal.stopped_or_over(first)
    if killed:
        await ordeal.record.expire()
        async with ordeal.alive(role="notes") as second:
            await ordeal.over(second)
    return first.boundaries.passed


def of_asking(ordeal: Ordeal) -> str:
    """What is wrong while the turn waits."""
    messages = verdict.shown(ordeal.sim.world)
    buttons = [
        [
            element["action_id"]
            for block in message.blocks
            if block["type"] == "actions"
            for element in block["elements"]
        ]
        for message in messages
    ]
    return "" if buttons == [[APPROVE, DENY]] else f"shown are {[verdict.said(message) for message in messages]}"


async def of_ending(ordeal: Ordeal, asked: Message) -> str:
    """What is wrong at the end: the change was made once, or not at all where that is not known and said."""
    world = ordeal.sim.world
    notes = len(await ordeal.record.rows("SELECT * FROM notes"))
    (text,) = [verdict.said(message) for message in verdict.shown(world)]
    states = [row["state"] for row in await ordeal.record.rows("SELECT state FROM turns")]
    doubted = text.startswith(DOUBTFUL) and notes <= 1
    faults = [
        *verdict.in_workspace(NOTES, world, asked),
        *verdict.in_posting(NOTES, ordeal.sim.simulation.calls.of("chat.postMessage"), frozen=0),
        *([] if doubted or (text, notes) == (f"I heard: {DONE}", 1) else [f"{notes} notes, and {text!r}"]),
        *([] if states == ["delivered"] else [f"the turn is {states}"]),
    ]
    return "; ".join(faults)


async def killed(begin: BeginOrdeal, before: str | None, after: str | None) -> str:
    """Kill a worker at a point before the click, or at one after it; gives what is wrong then."""
    async with begin(NOTES) as ordeal:
        asked = await begun(ordeal)
        await propose(ordeal, Fate(before))
        faults = of_asking(ordeal)
        if not faults:
            await approve(ordeal, Fate(after))
            faults = await of_ending(ordeal, asked)
        return ordeal.account(f"killed after {before or after!r}: {faults}") if faults else ""


async def test_a_worker_killed_on_either_side_of_an_approval_makes_the_change_once_or_says_that_it_does_not_know(
    begin_ordeal: BeginOrdeal, storm: bool
) -> None:
    async with begin_ordeal(NOTES) as ordeal:
        asked = await begun(ordeal)
        asking = await propose(ordeal, Fate())
        assert not (faults := of_asking(ordeal)), ordeal.account(faults)
        answering = await approve(ordeal, Fate())
        assert not (faults := await of_ending(ordeal, asked)), ordeal.account(faults)
    assert "parked 1" in asking
    assert set(answering) >= CHANGE, answering
    if not storm:
        chance = random.Random(SAMPLE)
        asking, answering = chance.sample(asking, SAMPLE), sorted(CHANGE | set(chance.sample(answering, SAMPLE)))
    faults = await each(asking, lambda point: killed(begin_ordeal, point, None))
    faults += await each(answering, lambda point: killed(begin_ordeal, None, point))
    assert not faults, faults
