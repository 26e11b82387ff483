from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from athenaeum.diagnostics import Finding, Verdict
from slacksim.faults import Fault
from slacksim.server import SlackSim

Look = Callable[..., Awaitable[dict[str, Finding]]]
Settings = dict[str, str]


async def test_slack_is_asked_whether_it_takes_the_blocks_of_answers(
    look: Look, slack: Settings, sim: SlackSim
) -> None:
    found = await look(**slack)
    assert found["blocks"].status is Verdict.OK
    (asked,) = sim.simulation.calls.of("blocks.validate")
    kinds = {block["type"] for block in asked["arguments"]["blocks"]}
    assert kinds == {"markdown", "table", "context", "context_actions", "actions"}


@pytest.mark.parametrize(("error", "status"), [("invalid_blocks", Verdict.WARNING), ("unknown_method", Verdict.OK)])
async def test_a_slack_that_does_not_take_them_or_does_not_say(
    look: Look, slack: Settings, sim: SlackSim, error: str, status: Verdict
) -> None:
    sim.simulation.faults.plan(Fault("blocks.validate", "error", error=error))
    found = await look(**slack)
    assert found["blocks"].status is status
    assert "plain text" in found["blocks"].detail + str(found["blocks"].mend)
