"""Every model request, measured where it is made and held to its end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.exceptions import ModelConnectionError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from athenaeum.observability.metrics import MODEL_SECONDS, MODEL_TOKENS

# Their protocols end every response with a reason; of other providers nothing is assumed.
_GIVE_REASONS = frozenset({"anthropic", "openai"})


class MeteredModel(WrapperModel):
    """The wrapped model, counted; a request that fails is timed too.

    A stream that a proxy ended in its middle without a trace is an error, not a short answer.
    """

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Make the request."""
        with self._timed():
            response = await self.wrapped.request(messages, model_settings, model_request_parameters)
        self._count(response.usage)
        return response

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Make the request; it lasts until the stream is left."""
        with self._timed():
            async with self.wrapped.request_stream(
                messages, model_settings, model_request_parameters, run_context
            ) as stream:
                try:
                    yield stream
                finally:
                    # Also of a stream that broke off: what it produced is paid for.
                    self._count(stream.usage)
                if self.system in _GIVE_REASONS and stream.get().finish_reason is None:
                    raise ModelConnectionError(
                        self.model_name, "the stream ended before the response did", phase="read"
                    )

    @contextmanager
    def _timed(self) -> Generator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            MODEL_SECONDS.labels(self.model_name).observe(time.perf_counter() - started)

    def _count(self, usage: RequestUsage) -> None:
        MODEL_TOKENS.labels(self.model_name, "input").inc(usage.input_tokens)
        MODEL_TOKENS.labels(self.model_name, "output").inc(usage.output_tokens)
