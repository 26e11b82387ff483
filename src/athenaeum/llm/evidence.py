"""Passages that travel beside a tool's result: kept with the conversation, never shown to a hosted model.

A tool result has two faces: the text a model reads, and these passages, from which the offline model quotes and
citations are verified. They are recorded with the result, so a replayed turn has the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart

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
    """Every passage that tools have found in this conversation, by label, in the order of appearance."""
    return {passage.label: passage for result in results(messages) for passage in result}


def results(messages: Sequence[ModelMessage]) -> list[list[Passage]]:
    """The passages of each tool result, best first within a result."""
    return [
        _PASSAGES.validate_python(part.metadata[_KEY])
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart) and isinstance(part.metadata, dict) and _KEY in part.metadata
    ]
