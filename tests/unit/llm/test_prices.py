from __future__ import annotations

import re
from decimal import Decimal

import pytest
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse
from pydantic_ai.usage import RequestUsage

from athenaeum.domain.price import FREE, Price, in_dollars, read_prices
from athenaeum.llm.models import ModelKeys, build_model, default_spec
from athenaeum.llm.prices import cost, estimate

KEYS = ModelKeys(anthropic_api_key="key", openai_api_key="key")
PRICE = Price(Decimal(2), Decimal(10))


def response(usage: RequestUsage) -> ModelResponse:
    return ModelResponse(parts=[], usage=usage, model_name="of-nobody", provider_name="openai")


def asked(text: str) -> list[ModelMessage]:
    return [ModelRequest.user_text_prompt(text)]


def test_the_operators_price_counts_every_token() -> None:
    told = response(RequestUsage(input_tokens=1_000_000, cache_read_tokens=500_000, output_tokens=100_000))

    assert cost(told, PRICE) == Decimal(3)


def test_a_model_on_no_list_has_no_cost_and_not_none() -> None:
    assert cost(response(RequestUsage(input_tokens=10)), None) is None
    assert cost(response(RequestUsage(input_tokens=10)), FREE) == 0


def test_what_a_gateway_says_that_it_cost_is_believed() -> None:
    told = response(RequestUsage(input_tokens=10))
    told.usage.cost = Decimal("0.25")

    assert cost(told, None) == Decimal("0.25")


@pytest.mark.parametrize(
    "keys", [ModelKeys(anthropic_api_key="key"), ModelKeys(openai_api_key="key")], ids=["anthropic", "openai"]
)
def test_the_packaged_models_are_on_the_list(keys: ModelKeys) -> None:
    model = build_model(default_spec(keys), keys)

    expected = estimate(model, asked("How much is this? " * 1000), None)

    assert expected is not None
    assert Decimal("0.001") < expected < 1


def test_a_longer_conversation_is_expected_to_cost_more() -> None:
    model = build_model("openai:of-nobody", KEYS)
    short, long = asked("word "), asked("word " * 10_000)

    assert (estimate(model, long, PRICE) or 0) > (estimate(model, short, PRICE) or 0) > 0


def test_prices_are_read_by_model() -> None:
    assert read_prices(" openai:a=0.2/0.8,\n openai:b = 0/0 ,") == {
        "openai:a": Price(Decimal("0.2"), Decimal("0.8")),
        "openai:b": FREE,
    }
    assert read_prices("") == {}


@pytest.mark.parametrize("text", ["a", "a=1", "a=1/", "=1/2", "a=1/two", "a=-1/2", "a=1/NaN", "a=1/Infinity"])
def test_prices_that_cannot_be_read_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        read_prices(f"b=1/2, {text}")


@pytest.mark.parametrize(
    ("amount", "told"), [("5", "$5.00"), ("0.5", "$0.50"), ("0.0006", "$0.0006"), ("1E+2", "$100.00")]
)
def test_money_has_two_decimals_or_as_many_as_it_needs(amount: str, told: str) -> None:
    assert in_dollars(Decimal(amount)) == told
