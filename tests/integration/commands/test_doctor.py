from __future__ import annotations

import json

from support.command_line import CommandLine


async def test_without_a_fault_the_status_is_0(athenaeum: CommandLine, slack: dict[str, str]) -> None:
    outcome = await athenaeum("doctor", **slack)

    assert outcome.status == 0, outcome.out
    assert outcome.out.rstrip().endswith("all is well")
    assert outcome.out.count("✓") >= 10
    assert outcome.err == ""


async def test_a_fault_is_shown_with_its_mend_and_the_status_is_1(
    athenaeum: CommandLine, slack: dict[str, str]
) -> None:
    outcome = await athenaeum("doctor", **{**slack, "SLACK_BOT_TOKEN": "xoxb-" + "wrong"})

    assert outcome.status == 1
    assert "✗  bot token" in outcome.out
    assert "→ set SLACK_BOT_TOKEN" in outcome.out
    assert outcome.out.rstrip().endswith("1 fault")


async def test_a_script_reads_every_finding(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("doctor", "--json", WORKER_POOL_SIZE="many")

    shown = json.loads(outcome.out)
    assert outcome.status == 1
    assert shown["ok"] is False
    assert {"subject", "status", "detail", "mend"} == set(shown["findings"][0])
    assert {finding["status"] for finding in shown["findings"]} == {"ok", "warning", "fault"}
    for finding in shown["findings"]:
        assert "\n" not in finding["detail"]
        assert (finding["mend"] is None) is (finding["status"] == "ok")
