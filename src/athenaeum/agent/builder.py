"""The agent: a model, the tools, and a journal around both."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any

from pydantic_ai import Agent, RunContext
from pydantic_ai.capabilities import HandleDeferredToolCalls
from pydantic_ai.messages import AgentStreamEvent, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import DeferredToolRequests

from athenaeum.agent import citations
from athenaeum.agent.consent import settle
from athenaeum.agent.durability import Journaled
from athenaeum.domain.turn import TextGrew
from athenaeum.llm import evidence
from athenaeum.tools.grant import Grant
from athenaeum.tools.guard import GuardedToolset

_NAME = "athenaeum"  # stands in the name of every recorded step: a new one would strand turns that are under way

_SETTINGS = ModelSettings(
    # The queue decides about retries: it frees the worker while it waits, knows Retry-After, and keeps the
    # finished steps. The SDKs' own two retries would hold the worker and the thread for up to two minutes.
    max_retries=0,
    # A turn sends its conversation again with each request. Read from the provider's cache it costs a tenth; the
    # first writing costs a quarter more, which the second request of a turn has paid back.
    cache=True,
    first_event_timeout=60,
    request_timeout=300,
)


def build_agent(model: Model[Any], toolset: GuardedToolset) -> Agent[Grant, str | DeferredToolRequests]:
    """The agent on this model, with these tools, whose output may be what a person has to approve first.

    Its growing text and its steps are reported to the grant's `progress`.
    """
    return Agent(
        model,
        name=_NAME,
        deps_type=Grant,
        output_type=[str, DeferredToolRequests],
        toolsets=[toolset],
        capabilities=[Journaled(event_stream_handler=_report), HandleDeferredToolCalls(settle)],
        model_settings=_SETTINGS,
        retries=2,
    )


async def _report(ctx: RunContext[Grant], events: AsyncIterable[AgentStreamEvent]) -> None:
    """Pass on the text of one model response as it grows; the library calls this while the response streams."""
    text = ""
    async for event in events:
        piece = _text_of(event)
        if not piece:
            continue
        text += piece
        if shown := citations.growing(text, evidence.gather(ctx.messages)):
            await ctx.deps.progress(TextGrew(shown))


def _text_of(event: AgentStreamEvent) -> str:
    match event:
        case PartStartEvent(part=TextPart(content=content)):
            return content
        case PartDeltaEvent(delta=TextPartDelta(content_delta=content)):
            return content
        case _:
            return ""
