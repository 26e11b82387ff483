"""A person's word on the calls that change something: asked for outside of the run, and read when it goes on.

The run stops with what it proposes, and is run again from its journal once that was decided. So no state of a run
has to be kept for days but the journal itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_ai import RunContext, Tool
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, ToolApproved, ToolDenied

from athenaeum.domain.approval import Decision, Proposal, ProposedCall
from athenaeum.domain.identity import ApprovalId, TurnId, approval_id
from athenaeum.tools.grant import Grant
from athenaeum.tools.guard import GuardedToolset

MAX_CALLS = 5
MAX_ARGUMENTS = 2_000
"""Characters of a call's arguments as JSON: what is approved is shown whole, in one message."""

_DENIED = "The person who asked has seen this call and denied it. Do not try it again; go on without it."
_EXPIRED = "The person who asked did not decide about this call in time. Do not try it again; go on without it."
_NOBODY = "This needs a person's approval, and nobody can be asked for it here. Say so, and go on without it."
_TOO_MUCH = (
    f"Nothing was done: at most {MAX_CALLS} changes, each with arguments of at most {MAX_ARGUMENTS} characters, can be"
    " shown for approval. Propose less at once, and what is left afterwards."
)


def propose(turn: TurnId, requests: DeferredToolRequests, toolset: GuardedToolset) -> Proposal:
    """What a person is to be asked."""
    calls = requests.approvals
    return Proposal(_identify(turn, calls), tuple(_shown(call, toolset.tools[call.tool_name]) for call in calls))


async def settle(ctx: RunContext[Grant], requests: DeferredToolRequests) -> DeferredToolResults | None:
    """The outcome of the proposed calls, or None where a person has to be asked: the run then ends with them."""
    consents, calls = ctx.deps.consents, requests.approvals
    outcome: ToolApproved | ToolDenied
    if not consents.can_ask:
        outcome = ToolDenied(_NOBODY)
    elif len(calls) > MAX_CALLS or any(len(json.dumps(call.args_as_dict())) > MAX_ARGUMENTS for call in calls):
        outcome = ToolDenied(_TOO_MUCH)
    else:
        match consents.decided.get(_identify(consents.turn, calls)):
            case Decision.APPROVED:
                outcome = ToolApproved()
            case Decision.DENIED:
                outcome = ToolDenied(_DENIED)
            case Decision.EXPIRED:
                outcome = ToolDenied(_EXPIRED)
            case _:
                return None
    return requests.build_results(approvals={call.tool_call_id: outcome for call in calls})


def _identify(turn: TurnId, calls: Sequence[ToolCallPart]) -> ApprovalId:
    exactly = [[call.tool_call_id, call.tool_name, call.args_as_dict()] for call in calls]
    return approval_id(turn, json.dumps(exactly, sort_keys=True))


def _shown(call: ToolCallPart, tool: Tool[Grant]) -> ProposedCall:
    """The call with every argument, those that the model left to their defaults as well."""
    properties: Mapping[str, Any] = tool.function_schema.json_schema.get("properties", {})
    defaults = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    asks = (tool.metadata or {}).get("asks", tool.name)
    return ProposedCall(call.tool_call_id, call.tool_name, asks, defaults | call.args_as_dict())
