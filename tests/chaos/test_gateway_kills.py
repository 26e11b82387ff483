"""The only gateway is killed while Slack waits for its acknowledgement, and a second one is started."""

from __future__ import annotations

import asyncio

import pytest

from support.events import until
from support.life import Fate
from support.ordeal import BeginOrdeal
from support.record import DEADLINE_SECONDS
from support.trials import PLAIN

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(None, id="as soon as Slack has sent something"),
        pytest.param("turn opened, uncommitted 1", id="in the middle of its transaction"),
        pytest.param("message archived and turn opened 1", id="between commit and acknowledgement"),
    ],
)
async def test_a_killed_gateway_loses_no_question_and_repeats_none(
    begin_ordeal: BeginOrdeal, point: str | None
) -> None:
    async with begin_ordeal(PLAIN) as ordeal:
        deliveries = ordeal.sim.simulation.outbox.deliveries
        async with ordeal.alive(Fate(point, within=True), role="gateway") as first:
            await until(lambda: ordeal.sim.simulation.sockets.connection_count > 0, seconds=DEADLINE_SECONDS)
            asked = ordeal.ask()
            if point is None:
                await until(lambda: any(delivery.attempts for delivery in deliveries))
            else:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    await first.boundaries.reached.wait()
        async with ordeal.alive(role="gateway"), ordeal.alive() as worker:
            await until(lambda: all(delivery.acked for delivery in deliveries), seconds=DEADLINE_SECONDS)
            await ordeal.over(worker)
        assert not (faults := await ordeal.faults(asked)), ordeal.account(faults)
