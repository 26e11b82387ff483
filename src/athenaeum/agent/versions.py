"""What a step was made by and from, as short fingerprints that the journal keeps beside its result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter
from pydantic_ai.toolsets import FunctionToolset
from pydantic_core import to_jsonable_python

_LENGTH = 16  # hexadecimal digits; 64 bits tell the few versions and steps of a turn apart
_OF_ONE_RUN = frozenset({"timestamp", "run_id", "conversation_id"})


@dataclass(frozen=True, slots=True)
class Versions:
    """What the running release would make a step by; each is a fingerprint."""

    prompts: str
    """Of the templates' sources."""
    tools: str
    """Of the tools' names, descriptions and schemas."""


def fingerprint(value: object) -> str:
    """A short digest of a value, equal wherever its JSON is equal; PydanticSerializationError where it has none."""
    text = json.dumps(to_jsonable_python(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def of_conversation(messages: list[ModelMessage]) -> str:
    """The fingerprint of what the model is told, whenever and in whichever attempt it is told."""
    return fingerprint(_lasting(ModelMessagesTypeAdapter.dump_python(messages, mode="json", exclude_none=True)))


def of_tools(toolset: FunctionToolset[Any]) -> str:
    """The fingerprint of what a model is offered."""
    tools = [tool.tool_def for tool in toolset.tools.values()]
    return fingerprint(sorted((tool.name, tool.description, tool.kind, tool.parameters_json_schema) for tool in tools))


def _lasting(value: object) -> object:
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {name: _lasting(inner) for name, inner in fields.items() if name not in _OF_ONE_RUN}
    if isinstance(value, list):
        return [_lasting(inner) for inner in cast("list[Any]", value)]
    return value
