"""A model that needs no account: it searches and quotes, and says so."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import chain, zip_longest
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import CompletedStreamedResponse, Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage

from athenaeum.domain.passage import Origin, Passage
from athenaeum.llm import evidence, quoting
from athenaeum.llm.listing import list_passages

OFFLINE = "offline"

_QUOTES = 3
_QUOTE_LIMIT = 320  # characters; three of them and their titles still fit one screen of a phone
_QUERY_LIMIT = 300
_READING = "read_period"
_PREAMBLE = "I am running without a language model, so I searched instead of reasoning."
_BROKEN = (
    "I am running without a language model, and the search that I answer from does not work at the moment. "
    "Please ask again in a few minutes."
)
_NOTHING = (
    f"{_PREAMBLE} I found nothing about this in the documents and messages that everyone here may read. "
    "Other words may help: I look for the ones you use."
)


class OfflineModel(Model[None]):
    """Deterministic: the same conversation gives the same response. It calls every search tool once, then quotes."""

    @property
    def model_name(self) -> str:
        """Always `offline`."""
        return OFFLINE

    @property
    def system(self) -> str:
        """The provider's name."""
        return OFFLINE

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Call the search tools, or answer from what they found."""
        del model_settings
        return _respond(messages, model_request_parameters.function_tools)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """The same response as `request`, as a stream of one piece."""
        del model_settings, run_context
        yield CompletedStreamedResponse(
            _respond(messages, model_request_parameters.function_tools),
            model_request_parameters=model_request_parameters,
            replay_events=True,
        )


def answer_from(question: str, results: Sequence[Sequence[Passage]]) -> str:
    """Say what this is, and quote what was found."""
    quotes = quote_from(question, results)
    if not quotes:
        return _NOTHING
    lead = "This is what I found:" if len(quotes) > 1 else "This is the passage that fits best:"
    return "\n\n".join([f"{_PREAMBLE} {lead}", *quotes])


def quote_from(question: str, results: Sequence[Sequence[Passage]]) -> list[str]:
    """Quotes from at most three of the passages that share words with the question, each with source and label."""
    about = quoting.terms(question)
    quotes: list[str] = []
    for passage in _choose(question, about, results):
        words = quoting.quote(passage.text, about, limit=_QUOTE_LIMIT, question=question)
        quotes.append(f"**{_source(passage)}** [{passage.label}]\n{_block(words)}")
    return quotes


def _respond(messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition]) -> ModelResponse:
    if [tool.name for tool in tools] == [_READING]:
        return _sum_up(messages)
    question = _question(messages)
    # another server's tools are called SERVER__TOOL, and say nothing that could be quoted
    searches = [tool.name for tool in tools if tool.name.startswith("search_") and "__" not in tool.name]
    if searches and quoting.terms(question) and not _searched(messages):
        parts = [
            ToolCallPart(name, {"query": question[:_QUERY_LIMIT]}, tool_call_id=f"{OFFLINE}_{name}")
            for name in searches
        ]
        return ModelResponse(parts, usage=RequestUsage(), model_name=OFFLINE)
    found = evidence.results(messages)
    text = answer_from(question, found) if found or not _searched(messages) else _BROKEN
    return ModelResponse([TextPart(text)], usage=RequestUsage(), model_name=OFFLINE)


def _sum_up(messages: Sequence[ModelMessage]) -> ModelResponse:
    """A digest: all that is offered is what was said."""
    if not _searched(messages):
        part = ToolCallPart(_READING, {}, tool_call_id=f"{OFFLINE}_{_READING}")
        return ModelResponse([part], usage=RequestUsage(), model_name=OFFLINE)
    found = evidence.results(messages)
    text = list_passages(found[0]) if found else _BROKEN
    return ModelResponse([TextPart(text)], usage=RequestUsage(), model_name=OFFLINE)


def _question(messages: Sequence[ModelMessage]) -> str:
    """The last piece of text of the last user prompt: context comes before it, in pieces of its own."""
    for message in reversed(messages):
        for part in reversed(message.parts):
            if isinstance(part, UserPromptPart):
                pieces = [part.content] if isinstance(part.content, str) else part.content
                return next((piece for piece in reversed(pieces) if isinstance(piece, str)), "")
    return ""


def _searched(messages: Sequence[ModelMessage]) -> bool:
    return any(
        isinstance(part, ToolReturnPart)
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
    )


def _choose(question: str, about: frozenset[str], results: Sequence[Sequence[Passage]]) -> list[Passage]:
    """The passages with most of the question's words; at least half of them, or nothing was found."""
    by_rank = {passage.id: passage for passage in chain(*zip_longest(*results)) if passage is not None}
    covered = {passage.id: evidence.coverage(passage, question) for passage in by_rank.values()}
    enough = max(1, -(-len(about) // 2))
    good = [passage for passage in by_rank.values() if covered[passage.id] >= enough]
    ranked = sorted(good, key=lambda passage: -covered[passage.id])
    # A passage with fewer of the words than the best one is mostly noise beside it.
    return [passage for passage in ranked[:_QUOTES] if 4 * covered[passage.id] >= 3 * covered[ranked[0].id]]


def _source(passage: Passage) -> str:
    if passage.origin is Origin.MESSAGE:
        written = f", {passage.written_at:%-d %B %Y}" if passage.written_at else ""
        by = f"{passage.author} in " if passage.author else ""
        return f"{by}{passage.title}{written}"
    return passage.source


def _block(words: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in words.splitlines())
