from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from athenaeum.diagnostics import Finding, Verdict
from support.anthropic_server import KEY, AnthropicServer, Fails, Says

Look = Callable[..., Awaitable[dict[str, Finding]]]
CLAUDE = "anthropic:claude-test"


@pytest.fixture
def claude(anthropic: AnthropicServer) -> dict[str, str]:
    return {"model": CLAUDE, "anthropic_api_key": KEY, "anthropic_base_url": anthropic.url}


async def test_offline_is_fine(look: Look) -> None:
    found = await look()

    assert found["model"].status is Verdict.OK
    assert "offline" in found["model"].detail


async def test_a_model_that_answers_is_asked_once_and_briefly(
    look: Look, anthropic: AnthropicServer, claude: dict[str, str]
) -> None:
    anthropic.script.append(Says("ok"))

    found = await look(**claude)

    assert found["model"].status is Verdict.OK
    assert CLAUDE in found["model"].detail
    [request] = anthropic.requests
    assert request.body["max_tokens"] <= 16


async def test_a_wrong_key(look: Look, claude: dict[str, str]) -> None:
    found = await look(**{**claude, "anthropic_api_key": "wrong"})

    assert found["model"].status is Verdict.FAULT
    assert "refused the key" in found["model"].detail
    assert "ANTHROPIC_API_KEY" in str(found["model"].mend)


async def test_a_model_that_the_provider_does_not_know(
    look: Look, anthropic: AnthropicServer, claude: dict[str, str]
) -> None:
    anthropic.script.append(Fails(404, "not_found_error"))

    found = await look(**claude)

    assert found["model"].status is Verdict.FAULT
    assert "ATHENAEUM_MODEL" in str(found["model"].mend)


async def test_a_provider_that_is_overloaded(look: Look, anthropic: AnthropicServer, claude: dict[str, str]) -> None:
    anthropic.script.extend([Fails(529, "overloaded_error", headers={"retry-after": "0.01"})] * 5)

    found = await look(**claude)

    assert found["model"].status is Verdict.FAULT
    assert "doctor again" in str(found["model"].mend)


@pytest.mark.parametrize("name", ["nonsense", "nobody:x", "anthropic:x", " , "])
async def test_a_name_that_is_no_model(look: Look, name: str) -> None:
    found = await look(model=name)

    assert found["model"].status is Verdict.FAULT
    assert "ATHENAEUM_MODEL" in found["model"].detail
    assert "offline" in str(found["model"].mend)


async def test_while_one_of_a_chain_answers_the_others_are_warnings(look: Look, claude: dict[str, str]) -> None:
    found = await look(**{**claude, "anthropic_api_key": "wrong", "model": f"offline, {CLAUDE}"})

    assert found["model"].status is Verdict.WARNING
    assert "refused the key" in found["model"].detail


async def test_no_embedder_by_choice(look: Look) -> None:
    found = await look(embedder="none")

    assert found["embedder"].status is Verdict.OK
    assert "keywords alone" in found["embedder"].detail


async def test_the_offline_embedder(look: Look) -> None:
    found = await look(embedder=None)

    assert found["embedder"].status is Verdict.OK
    assert "384 dimensions" in found["embedder"].detail


async def test_an_embedder_that_is_unknown(look: Look) -> None:
    found = await look(embedder="nonsense")

    assert found["embedder"].status is Verdict.FAULT
    assert "ATHENAEUM_EMBEDDER" in str(found["embedder"].mend)


async def test_an_embedder_that_does_not_answer(look: Look) -> None:
    found = await look(embedder="openai:text-embedding-3-small", openai_base_url="http://127.0.0.1:1/v1")

    assert found["embedder"].status is Verdict.FAULT
    assert "OPENAI_BASE_URL" in str(found["embedder"].mend)
