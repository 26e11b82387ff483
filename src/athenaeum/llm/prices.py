"""What a request costs in US dollars: by the operator's price, else by the list of `genai-prices`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model
from pydantic_ai.usage import RequestUsage

from athenaeum.domain.price import Price
from athenaeum.llm.vision import count_pictures, without_pictures

_BYTES_A_TOKEN = 4
_ANSWER = 1_000
"""Tokens that a response is taken to have before it is there; most have fewer."""
_PICTURE = 1_600
"""Tokens of a picture as it is shown; most have fewer."""


def cost(response: ModelResponse, price: Price | None) -> Decimal | None:
    """What a response cost, tokens read from and written to the provider's cache at their own prices.

    An operator's `price` knows no cache: with it, cached tokens count like others. None when nobody knows.
    """
    usage = response.usage
    if price is not None:
        return price.of(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    if usage.cost is not None:  # a gateway's own word
        return usage.cost
    try:
        return response.cost().total_price
    except (LookupError, ValueError):  # not on the list, or the provider told no usage
        return None


def estimate(model: Model[Any], messages: list[ModelMessage], price: Price | None) -> Decimal | None:
    """About what a request will cost; None when nobody knows the price."""
    words = len(ModelMessagesTypeAdapter.dump_json(without_pictures(messages))) // _BYTES_A_TOKEN
    tokens = words + count_pictures(messages) * _PICTURE
    expected = ModelResponse(
        parts=[],
        usage=RequestUsage(input_tokens=tokens, output_tokens=_ANSWER),
        model_name=model.model_name,
        provider_name=model.system,
        provider_url=model.base_url,
    )
    return cost(expected, price)
