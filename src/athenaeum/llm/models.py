"""From a model string of the configuration to a model."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import structlog
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.providers import Provider, infer_provider

from athenaeum.domain.price import FREE, Price
from athenaeum.errors import Misconfigured
from athenaeum.llm.metering import MeteredModel
from athenaeum.llm.offline import OFFLINE, OfflineModel
from athenaeum.llm.prices import estimate
from athenaeum.llm.vision import VisionModel

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelKeys:
    """Credentials and addresses of the providers; an address None is the provider's own."""

    anthropic_api_key: str | None = field(default=None, repr=False)
    anthropic_base_url: str | None = None
    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None


def default_spec(keys: ModelKeys) -> str:
    """The packaged default of the first provider whose key is set, else `offline`."""
    defaults = tomllib.loads(files("athenaeum.llm").joinpath("defaults.toml").read_text(encoding="utf-8"))["models"]
    if keys.anthropic_api_key:
        return defaults["anthropic"]
    return defaults["openai"] if keys.openai_api_key else OFFLINE


def build_model(spec: str | None, keys: ModelKeys, *, prices: Mapping[str, Price] | None = None) -> Model[Any]:
    """The model that `spec` names: `PROVIDER:NAME`, `offline`, or a comma separated chain of them.

    In a chain the next model answers a request that the one before could not: wrong key, overload, no connection.
    `prices` by the same names come before those of the library. None is `default_spec`. HTTP clients close when the
    model, an async context manager, is left.

    Raises:
        Misconfigured: a name or provider is unknown, or the provider's key is not set.
    """
    names = [name.strip() for name in (default_spec(keys) if spec is None else spec).split(",")]
    models = [_build(name, keys, (prices or {}).get(name)) for name in names if name]
    if not models:
        raise Misconfigured("ATHENAEUM_MODEL: name a model such as anthropic:NAME, or offline")
    if len(models) == 1:
        return models[0]
    return FallbackModel(models[0], *models[1:])


def model_factory(
    spec: str | None, keys: ModelKeys, *, prices: Mapping[str, Price] | None = None
) -> Callable[[str | None], Model[Any]]:
    """Gives the models of `build_model(spec, keys, prices=prices)`.

    The model that a persona prefers, if any, comes before them.
    """

    def build(preferred: str | None) -> Model[Any]:
        configured = default_spec(keys) if spec is None else spec
        if preferred is None:
            return build_model(configured, keys, prices=prices)
        try:
            return build_model(f"{preferred}, {configured}", keys, prices=prices)
        except Misconfigured as error:
            # A persona is set by a workspace's people: their typing error must not silence the agent.
            log.warning("model.unusable", model=preferred, reason=str(error))
            return build_model(configured, keys, prices=prices)

    return build


def _build(name: str, keys: ModelKeys, price: Price | None) -> Model[Any]:
    if name == OFFLINE:
        return MeteredModel(OfflineModel(), price=FREE)
    try:
        model = VisionModel(infer_model(name, lambda provider: _provider(provider, keys)))
    except (UserError, ValueError, ImportError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        mend = "give PROVIDER:NAME, such as the ones in docs/guides/models.md, or offline"
        raise Misconfigured(f"ATHENAEUM_MODEL: {name!r} cannot be used ({reason}): {mend}") from error
    # Makes the schema of messages: 30 ms, in which a first question would keep all others waiting.
    estimate(model, [], price)
    return MeteredModel(model, price=price)


def _provider(provider: str, keys: ModelKeys) -> Provider[Any]:
    if provider == "anthropic":
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415 - slow to import

        if not keys.anthropic_api_key:
            raise ValueError("set ANTHROPIC_API_KEY, or ATHENAEUM_MODEL=offline")
        return AnthropicProvider(api_key=keys.anthropic_api_key, base_url=keys.anthropic_base_url)
    if provider in {"openai", "openai-chat", "openai-responses"}:
        from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415 - slow to import

        if not (keys.openai_api_key or keys.openai_base_url):
            raise ValueError("set OPENAI_API_KEY, or ATHENAEUM_MODEL=offline")
        return OpenAIProvider(api_key=keys.openai_api_key, base_url=keys.openai_base_url)
    return infer_provider(provider)
