"""Model requests and tool calls as steps of the journal, by the extension points of `pydantic_ai.durable_exec`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from pydantic import ValidationError
from pydantic_ai.durable_exec import (
    JSON_CODEC,
    BaseDurabilityCapability,
    DurabilityCodec,
    DurabilityEngineSpec,
    DurableOperationId,
    EventStreamHandlerId,
    JournalCallableOperationBackend,
    ModelRequestId,
    RoleBasedOperationConfig,
    ToolsetCallToolId,
    conversation_id_from_run_id,
)
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.messages import ModelMessage
from pydantic_ai.tools import RunContext

from athenaeum.agent.journal import BegunBefore, Step, current_journal
from athenaeum.agent.versions import fingerprint, of_conversation
from athenaeum.tools.grant import Grant

BEGUN_BEFORE = (
    "This was begun before and then interrupted, so it is not known whether it was done. Do not do it again: say so,"
    " and ask the person to look."
)


class UnreadableStep(Exception):  # noqa: N818 - named for what it means, like the errors of the house
    """A recorded result is not what this release of the library reads."""


class _Codec(DurabilityCodec):
    """Results as JSON, by the library's own codec; it promises to read what earlier releases of it wrote."""

    def dump(self, tp: Any, value: Any) -> Any:
        return JSON_CODEC.dump(tp, value)

    def load(self, tp: Any, payload: Any) -> Any:
        try:
            return JSON_CODEC.load(tp, payload)
        except ValidationError as error:
            raise UnreadableStep(error.title) from error


class _Steps(JournalCallableOperationBackend[None]):
    """Runs the library's durable operations as steps of the open journal."""

    async def execute(
        self,
        *,
        operation_id: DurableOperationId,
        name: str,
        body: Callable[[], Awaitable[object]],
        cache_key: tuple[object, ...],
        config: None,
    ) -> object:
        del config
        journal = current_journal()
        if journal is None or isinstance(operation_id, EventStreamHandlerId):  # progress is shown, not recorded
            return await body()
        try:
            return await journal.step(_step(operation_id, name, cache_key), body)
        except BegunBefore as error:
            raise ToolFailed(BEGUN_BEFORE) from error


class Journaled(BaseDurabilityCapability[Grant]):
    """Makes every model request and tool call of an agent a step of the open journal; transparent without one."""

    engine_spec = DurabilityEngineSpec(
        engine_name="Athenaeum's journal",
        durable_unit_noun="step",
        durable_container_noun="turn",
        codec=_Codec(),
        # Calls of one response in the order the model wrote them: the order is what identifies a step.
        sequential_tools_in_durable_context=True,
    )

    @property
    def in_durable_context(self) -> bool:
        """Whether a journal is open."""
        return current_journal() is not None

    def get_durable_operation_backend(self) -> _Steps:
        """Steps are named after the agent: its name must never change."""
        config = RoleBasedOperationConfig(model=None, event=None, capability=None, tool=None)
        return _Steps(agent_name=self.name, config=config)

    def get_default_run_id(self) -> str | None:
        """The same for every attempt at a turn."""
        journal = current_journal()
        return journal.run_id if journal else None

    def get_default_conversation_id(self, run_id: str) -> str | None:
        """Derived from the run's id, so that it too is the same for every attempt."""
        return conversation_id_from_run_id(run_id) if current_journal() else None


def _step(operation: DurableOperationId, name: str, inputs: tuple[object, ...]) -> Step:
    """`inputs` are what the library would tell operations apart by if it looked their results up by a hash."""
    match operation:
        case ModelRequestId(model_name=model):
            # Not what tools were offered, nor the settings: a response that was given stays the response.
            return Step(name, of_conversation(cast("list[ModelMessage]", inputs[1])), model=model)
        case ToolsetCallToolId():
            ctx = cast("RunContext[Grant]", inputs[2])
            return Step(name, fingerprint([*inputs[:2], ctx.tool_call_id]), once=ctx.tool_call_approved)
        case _:
            return Step(name, fingerprint(name))
