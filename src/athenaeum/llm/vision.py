"""Pictures of a conversation, for models that see and for those that do not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog
from pydantic_ai import RunContext
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

log = structlog.get_logger(__name__)

_UNSEEN = "(A picture is here that you cannot see. Say so where the question is about it.)"
_REJECTED = frozenset({400, 413, 422})


class VisionModel(WrapperModel):
    """The wrapped model, which is told of a picture that it cannot see, or that its server refuses."""

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Make the request."""
        shown = self._shown(messages)
        try:
            return await self.wrapped.request(shown, model_settings, model_request_parameters)
        except ModelHTTPError as error:
            return await self.wrapped.request(_spared(shown, error), model_settings, model_request_parameters)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Make the request; it lasts until the stream is left."""

        def ask(told: list[ModelMessage]) -> AbstractAsyncContextManager[StreamedResponse]:
            return self.wrapped.request_stream(told, model_settings, model_request_parameters, run_context)

        shown = self._shown(messages)
        async with AsyncExitStack() as stack:
            try:
                stream = await stack.enter_async_context(ask(shown))
            except ModelHTTPError as error:
                stream = await stack.enter_async_context(ask(_spared(shown, error)))
            yield stream

    def _shown(self, messages: list[ModelMessage]) -> list[ModelMessage]:
        return messages if self.wrapped.profile.get("supports_image_input", True) else without_pictures(messages)


def count_pictures(messages: Sequence[ModelMessage]) -> int:
    """How many pictures a request would carry."""
    return sum(
        isinstance(piece, BinaryContent)
        for message in messages
        for part in message.parts
        if isinstance(part, UserPromptPart)
        for piece in part.content
    )


def without_pictures(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """The conversation with a sentence in the place of each picture."""
    return [
        replace(message, parts=[_told(part) for part in message.parts])
        if isinstance(message, ModelRequest)
        else message
        for message in messages
    ]


def _told(part: ModelRequestPart) -> ModelRequestPart:
    if not isinstance(part, UserPromptPart) or isinstance(part.content, str):
        return part
    return replace(part, content=[_UNSEEN if isinstance(piece, BinaryContent) else piece for piece in part.content])


def _spared(messages: list[ModelMessage], error: ModelHTTPError) -> list[ModelMessage]:
    """What is asked instead: many servers speak of pictures only once they get one. Else the error is raised."""
    if error.status_code not in _REJECTED or not count_pictures(messages):
        raise error
    log.warning("model.picture_refused", model=error.model_name, status=error.status_code)
    return without_pictures(messages)
