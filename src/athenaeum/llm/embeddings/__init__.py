"""Vectors for passages and questions: offline by default, hosted by configuration, or none.

`domain.embedding` says what an embedder does.

minilm     the offline embedder: all-MiniLM-L6-v2 on onnxruntime
graph      its network, built from its weights
hosted     embedding services
selection  which of them a configuration means
"""

from __future__ import annotations

from athenaeum.domain.embedding import Embedder, EmbedderUnavailable, Vectors
from athenaeum.llm.embeddings.selection import EmbedderKeys, build_embedder

__all__ = ["Embedder", "EmbedderKeys", "EmbedderUnavailable", "Vectors", "build_embedder"]
