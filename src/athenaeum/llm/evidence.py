"""Passages that travel beside a tool's result or a prompt's files: kept, and never shown to a hosted model.

A tool result has two faces: the text a model reads, and these passages, from which the offline model quotes and
citations are verified. They are recorded with the result, so a replayed turn has the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    TextContent,
    ToolReturnPart,
    UserPromptPart,
)

from athenaeum.domain.passage import Passage
from athenaeum.llm import quoting

_PASSAGES = TypeAdapter(list[Passage])
_KEY = "passages"


def coverage(passage: Passage, question: str) -> int:
    """How many of the question's terms a passage holds; what only repeats the question counts for nothing."""
    substance = quoting.substance(passage.text, question)
    told = quoting.terms(f"{passage.title} {passage.heading}\n{substance}")
    return len(quoting.terms(question) & told) if substance else 0


def attach(passages: Sequence[Passage]) -> dict[str, Any]:
    """The metadata of a tool result that these passages were found for."""
    return {_KEY: _PASSAGES.dump_python(list(passages), mode="json")}


def gather(messages: Sequence[ModelMessage]) -> dict[str, Passage]:
    """Every passage that files and tools have brought into this conversation, by label, in the order of appearance."""
    return {passage.label: passage for result in results(messages) for passage in result}


def results(messages: Sequence[ModelMessage]) -> list[list[Passage]]:
    """The passages of the prompt's files, in their order, and of each tool result, best first within a result."""
    return [
        _PASSAGES.validate_python(metadata[_KEY])
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        for metadata in _metadata(part)
        if isinstance(metadata, dict) and _KEY in metadata
    ]


def _metadata(part: ModelRequestPart) -> list[Any]:
    if isinstance(part, ToolReturnPart):
        return [part.metadata]
    if isinstance(part, UserPromptPart) and not isinstance(part.content, str):
        return [piece.metadata for piece in part.content if isinstance(piece, TextContent)]
    return []
