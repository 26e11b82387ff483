"""A persona as the model gets it, in the request itself."""

from __future__ import annotations

from typing import Any

from pydantic_ai.models import Model
from sqlalchemy import text

from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, UserId
from athenaeum.llm.models import ModelKeys, build_model
from athenaeum.tenants.personas import Overrides, set_persona
from support.anthropic_server import KEY, AnthropicServer, Call, Says
from support.desk import GENERAL, Desk

AI = "You are an AI, not a person"


def claude(server: AnthropicServer) -> Model[Any]:
    return build_model("anthropic:claude-test", ModelKeys(anthropic_api_key=KEY, anthropic_base_url=server.url))


async def _persona(desk: Desk, channel: str | None = None, user: str | None = None, **overrides: object) -> None:
    given: Overrides = overrides  # pyright: ignore[reportAssignmentType]
    async with desk.database.session(DEFAULT_TENANT) as session:
        await set_persona(session, ChannelId(channel) if channel else None, UserId(user) if user else None, **given)


async def test_name_role_and_words_stand_in_the_request_beside_the_ai_clause(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    await _persona(desk, name="Mara", role="Customer Support")
    await _persona(desk, GENERAL, instructions="Answer in rhymes.")
    await desk.answer(claude(anthropic))

    system = str(anthropic.requests[0].body["system"])
    for words in ("Mara", "Customer Support", "Answer in rhymes.", AI):
        assert words in system


async def test_a_template_of_the_channels_own_replaces_all_but_the_rules(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    await _persona(desk, GENERAL, system_template="{{ user_name }} asks in {{ channel_name }} on {{ current_date }}.")
    await _persona(desk, context_template="Before: {{ recent or thread or 'nothing' }}")
    await desk.answer(claude(anthropic))

    request = anthropic.requests[0].body
    assert "Ana asks in #general on Tuesday, 14 November 2023." in str(request["system"])
    assert AI in str(request["system"])
    assert "Before: " in str(request["messages"])


async def test_a_template_that_fails_after_all_costs_no_answer(desk: Desk, anthropic: AnthropicServer) -> None:
    await _persona(desk, system_template="{{ gone }}")
    answer = await desk.answer(claude(anthropic))

    assert answer.text
    assert AI in str(anthropic.requests[0].body["system"])


async def test_a_tool_that_is_not_allowed_is_neither_offered_nor_called(desk: Desk, anthropic: AnthropicServer) -> None:
    await _persona(desk, GENERAL, tools=["search_documents"])
    anthropic.script.extend([Says(calls=(Call("search_messages", {"query": "event"}),)), Says("I could not look.")])
    await desk.answer(claude(anthropic))

    assert [tool["name"] for tool in anthropic.requests[0].body["tools"]] == ["search_documents"]
    async with desk.database.session(DEFAULT_TENANT) as session:
        steps = (await session.execute(text("SELECT name FROM steps"))).scalars().all()
    assert not any("search_messages" in name for name in steps)
