from __future__ import annotations

import json
from pathlib import Path

from support.anthropic_server import KEY, AnthropicServer
from support.command_line import CommandLine


async def test_an_answer_names_its_source(athenaeum: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "queue.md").write_text("# The queue\n\nRetry a failed event with `athenaeum events retry ID`.\n")
    assert (await athenaeum("docs", "add", "queue.md")).status == 0

    outcome = await athenaeum("ask", "How do I retry a failed event?", "--json")

    answer = json.loads(outcome.out)
    assert outcome.status == 0
    assert "athenaeum events retry ID" in answer["text"]
    assert answer["citations"][0]["number"] == 1
    assert "without a language model" in answer["text"]


async def test_an_answer_for_a_person(athenaeum: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "queue.md").write_text("# The queue\n\nRetry a failed event with `athenaeum events retry ID`.\n")
    await athenaeum("docs", "add", "queue.md")

    outcome = await athenaeum("ask", "How do I retry a failed event?")

    assert outcome.status == 0
    assert "[1] " in outcome.out


async def test_a_model_key_that_is_refused(athenaeum: CommandLine) -> None:
    async with AnthropicServer() as server:
        settings = {"ANTHROPIC_BASE_URL": server.url, "ATHENAEUM_MODEL": "anthropic:claude-test"}
        outcome = await athenaeum("ask", "Anything?", **settings, ANTHROPIC_API_KEY=f"not-{KEY}")

    assert outcome.status == 1
    assert "key" in outcome.err.splitlines()[-1]


async def test_a_model_that_does_not_exist(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("ask", "Anything?", ATHENAEUM_MODEL="nonsense")

    assert outcome.status == 1
    assert "ATHENAEUM_MODEL" in outcome.complaint


async def test_an_embedder_that_does_not_exist(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("ask", "Anything?", ATHENAEUM_EMBEDDER="nonsense")

    assert outcome.status == 1
    assert "ATHENAEUM_EMBEDDER" in outcome.complaint
