"""What an embedder does, for those who build one and those who search with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from athenaeum.errors import RetryLater

Vectors = NDArray[np.float32]


class EmbedderUnavailable(RetryLater):
    """The embedder does not answer now; search goes on with keywords, and passages are embedded later."""


class Embedder(Protocol):
    """Turns text into vectors of length 1, whose inner product is their similarity."""

    @property
    def name(self) -> str:
        """Vectors are compared with vectors of the same name only."""
        ...

    @property
    def dimensions(self) -> int | None:
        """Length of a vector; None while a hosted model has not told it."""
        ...

    @property
    def window(self) -> int | None:
        """The number of words it embeds best at a time; None when any passage will do."""
        ...

    async def embed_query(self, text: str) -> Vectors:
        """One vector: shape (dimensions,).

        Raises:
            EmbedderUnavailable: It does not answer.
        """
        ...

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One vector a text: shape (len(texts), dimensions).

        Raises:
            EmbedderUnavailable: It does not answer.
        """
        ...
