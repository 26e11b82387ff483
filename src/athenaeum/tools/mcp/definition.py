"""A tool as its server defines it now, and what the operator's file says of that."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from athenaeum.tools.mcp.settings import ToolSettings
from athenaeum.tools.quarantine import visible


class Approval(StrEnum):
    """What the operator's file says of a tool."""

    APPROVED = "approved"
    NEW = "new"
    """It is not in the file."""
    CHANGED = "changed"
    """It is not what was approved."""
    GONE = "gone"
    """It is in the file, and its server does not define it."""
    AMBIGUOUS = "ambiguous"
    """Its server defines two tools of that name."""


UNFIT: Final = frozenset({Approval.CHANGED, Approval.GONE, Approval.AMBIGUOUS})
"""What an operator should hear of."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a server says of one of its tools."""

    tool: str
    description: str
    parameters: Mapping[str, Any]
    """A JSON Schema."""
    result: Mapping[str, Any] | None
    """Likewise."""
    says_it_only_reads: bool = False
    """The server's own hint, for the operator's eyes: nothing is decided by it."""

    @property
    def fingerprint(self) -> str:
        """Of everything that a model is told of it; canonical JSON, so that the order of keys does not matter."""
        told = [self.tool, self.description, self.parameters, self.result]
        text = json.dumps(told, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A tool, and what the operator's file says of it; no definition where it is gone."""

    tool: str
    approval: Approval
    definition: Definition | None


def review(defined: Iterable[Definition], listed: Mapping[str, ToolSettings]) -> list[Reviewed]:
    """Every tool that is defined or listed, in the server's order."""
    definitions = list(defined)
    counts = Counter(definition.tool for definition in definitions)
    by_name = {definition.tool: definition for definition in definitions}
    found = [Reviewed(name, _judge(one, counts[name], listed.get(name)), one) for name, one in by_name.items()]
    return [*found, *(Reviewed(name, Approval.GONE, None) for name in listed if name not in by_name)]


def shown(definition: Definition) -> tuple[str, dict[str, Any]]:
    """Description and parameters as a model is shown them: without what nobody could see when approving them."""
    return visible(definition.description), cast("dict[str, Any]", _visible(definition.parameters))


def _judge(definition: Definition, count: int, listed: ToolSettings | None) -> Approval:
    if count > 1:
        return Approval.AMBIGUOUS
    if listed is None:
        return Approval.NEW
    return Approval.APPROVED if listed.fingerprint == definition.fingerprint else Approval.CHANGED


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {visible(key): _visible(inner) for key, inner in fields.items()}
    if isinstance(value, list):
        return [_visible(inner) for inner in cast("list[Any]", value)]
    return value
