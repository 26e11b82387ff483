"""Embedding services, through Pydantic AI."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

import numpy as np
from pydantic_ai.embeddings import EmbeddingModel
from pydantic_ai.embeddings.result import EmbedInputType
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.providers import Provider

from athenaeum.domain.embedding import EmbedderUnavailable, Vectors

_PATIENCE = {"query": timedelta(seconds=3), "document": timedelta(seconds=60)}
_BATCH = 128


class HostedEmbedder:
    """An embedding model behind an API."""

    window = None

    def __init__(self, name: str, model: EmbeddingModel, provider: Provider[Any]) -> None:
        """`name` is the model string of the configuration; `provider` holds the connections of `model`."""
        self.name = name
        self.dimensions: int | None = None
        self._model = model
        self._provider = provider

    async def __aenter__(self) -> Self:
        """Keep connections open until the exit; without it each request opens its own."""
        await self._provider.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them; harmless when repeated."""
        await self._provider.__aexit__(None, None, None)

    async def embed_query(self, text: str) -> Vectors:
        """One vector; a service that takes over 3 s counts as not answering."""
        return (await self._embed([text], "query"))[0]

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One vector a text, 128 texts a request."""
        batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
        return np.concatenate([await self._embed(batch, "document") for batch in batches])

    async def _embed(self, texts: Sequence[str], purpose: EmbedInputType) -> Vectors:
        try:
            async with self, asyncio.timeout(_PATIENCE[purpose].total_seconds()):
                result = await self._model.embed(texts, input_type=purpose)
        except (ModelAPIError, TimeoutError, OSError) as error:
            raise EmbedderUnavailable(f"the embedder {self.name} does not answer: {error}") from error
        vectors = np.asarray(result.embeddings, np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise EmbedderUnavailable(f"the embedder {self.name} sent {vectors.shape} for {len(texts)} texts")
        self.dimensions = int(vectors.shape[1])
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
