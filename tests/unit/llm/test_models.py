from __future__ import annotations

import pytest
from pydantic_ai.models.fallback import FallbackModel

from athenaeum.errors import Misconfigured
from athenaeum.llm.models import ModelKeys, build_model, default_spec, model_factory

KEYS = ModelKeys(anthropic_api_key="key", openai_api_key="key")


def test_without_a_key_the_default_is_offline() -> None:
    assert default_spec(ModelKeys()) == "offline"
    assert build_model(None, ModelKeys()).model_name == "offline"


def test_a_key_makes_its_provider_the_default() -> None:
    assert default_spec(ModelKeys(anthropic_api_key="key")).startswith("anthropic:")
    assert default_spec(ModelKeys(openai_api_key="key")).startswith("openai:")


def test_the_packaged_defaults_can_be_built() -> None:
    for keys in (ModelKeys(anthropic_api_key="key"), ModelKeys(openai_api_key="key")):
        assert build_model(None, keys).model_name in default_spec(keys)


def test_a_chain_keeps_its_order() -> None:
    model = build_model("anthropic:a, openai:b,offline", KEYS)

    assert isinstance(model, FallbackModel)
    assert [each.model_name for each in model.models] == ["a", "b", "offline"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("anthropic:a", "set ANTHROPIC_API_KEY"),
        ("openai:a", "set OPENAI_API_KEY"),
        ("nonsense", "Unknown model"),
        ("nobody:a", "Unknown provider"),
        (" , ", "or offline"),
        ("", "or offline"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_clear_line(spec: str, words: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        build_model(spec, ModelKeys())

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_openai_compatible_server_needs_an_address_but_no_key() -> None:
    keys = ModelKeys(openai_base_url="http://127.0.0.1:1/v1")

    assert build_model("openai-chat:local", keys).base_url == "http://127.0.0.1:1/v1/"


def test_keys_are_not_shown() -> None:
    assert "key" not in repr(ModelKeys(anthropic_api_key="a-key")).replace("anthropic_api_key", "")


def test_a_personas_model_is_tried_before_the_configured_ones() -> None:
    model = model_factory("offline", KEYS)("anthropic:a")

    assert isinstance(model, FallbackModel)
    assert [each.model_name for each in model.models] == ["a", "offline"]


def test_a_personas_model_that_does_not_exist_leaves_the_configured_ones() -> None:
    assert model_factory("offline", KEYS)("no such thing").model_name == "offline"
