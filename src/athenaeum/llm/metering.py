"""Every model request, measured and paid for where it is made, and held to its end."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.exceptions import ModelAPIError, ModelConnectionError, ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from athenaeum.domain.price import Price
from athenaeum.llm.payment import Bill, Charge, current_payer
from athenaeum.llm.prices import cost, estimate
from athenaeum.observability.metrics import MODEL_SECONDS, MODEL_TOKENS

# Their protocols end every response with a reason; of other providers nothing is assumed.
_GIVE_REASONS = frozenset({"anthropic", "openai"})
_NOT_SENT = frozenset({"pool", "connect"})


class MeteredModel(WrapperModel):
    """The wrapped model, counted and paid for; a request that fails is timed too.

    A stream that a proxy ended in its middle without a trace is an error, not a short answer.
    """

    def __init__(self, wrapped: Model[Any], *, price: Price | None = None) -> None:
        """Without a `price` the library's is taken."""
        super().__init__(wrapped)
        self._price = price

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Make the request."""
        async with self._billed(messages) as bill:
            with self._timed():
                response = await self.wrapped.request(messages, model_settings, model_request_parameters)
            self._count(response, bill)
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
        async with self._billed(messages) as bill:
            with self._timed():
                async with self.wrapped.request_stream(
                    messages, model_settings, model_request_parameters, run_context
                ) as stream:
                    try:
                        yield stream
                    finally:
                        # Also of a stream that broke off: what it produced is paid for.
                        self._count(stream.get(), bill)
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

    @asynccontextmanager
    async def _billed(self, messages: list[ModelMessage]) -> AsyncGenerator[Bill | None]:
        """Reserved before, and let go when the request was certainly not carried out."""
        payer = current_payer()
        if payer is None:
            yield None
            return
        bill = Bill(payer, await payer.reserve(self.model_name, estimate(self.wrapped, messages, self._price)))
        try:
            yield bill
        except ModelAPIError as error:
            if not bill.charged and _was_not_carried_out(error):
                await payer.release(bill.request)
            raise

    def _count(self, response: ModelResponse, bill: Bill | None) -> None:
        usage = response.usage
        MODEL_TOKENS.labels(self.model_name, "input").inc(usage.input_tokens)
        MODEL_TOKENS.labels(self.model_name, "output").inc(usage.output_tokens)
        if bill is not None and (usage.has_values() or response.state == "complete"):
            bill.charge(Charge(self.model_name, cost(response, self._price), usage))


def _was_not_carried_out(error: ModelAPIError) -> bool:
    """Whether the provider said so, or never heard of it."""
    return isinstance(error, ModelHTTPError) or (isinstance(error, ModelConnectionError) and error.phase in _NOT_SENT)
