from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from athenaeum.llm.embeddings.minilm import MiniLM

SENTENCES = ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]

FILE = "all-MiniLM-L6-v2-1.onnx"


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> MiniLM:
    return MiniLM(tmp_path_factory.mktemp("cache"))


async def test_similarities_are_those_the_model_is_published_with(minilm: MiniLM) -> None:
    vectors = await minilm.embed_passages(SENTENCES)
    assert vectors[0] @ vectors[1:].T == pytest.approx([0.6946, 0.9429, 0.2569], abs=1e-3)


async def test_a_text_has_the_same_vector_in_any_company(minilm: MiniLM) -> None:
    together = await minilm.embed_passages([*SENTENCES, "long " * 300])
    assert np.allclose(together[1], await minilm.embed_query(SENTENCES[1]), atol=1e-5)


async def test_vectors_have_length_one_whatever_the_text(minilm: MiniLM) -> None:
    vectors = await minilm.embed_passages(["", " ", "\0", "é" * 3000, "東京", "\U0001f600"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(6), abs=1e-4)


async def test_no_texts_have_no_vectors(minilm: MiniLM) -> None:
    assert (await minilm.embed_passages([])).shape == (0, 384)


async def test_the_network_is_read_from_the_cache_the_next_time(tmp_path: Path, minilm: MiniLM) -> None:
    await MiniLM(tmp_path).embed_query("hello")
    cached = tmp_path / FILE
    written = cached.stat().st_mtime_ns
    vector = await MiniLM(tmp_path).embed_query("hello")
    assert cached.stat().st_mtime_ns == written
    assert np.allclose(vector, await minilm.embed_query("hello"), atol=1e-6)


async def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert (await MiniLM(tmp_path / "file").embed_query("hello")).shape == (384,)


async def test_a_damaged_cache_is_built_again(tmp_path: Path) -> None:
    await MiniLM(tmp_path).embed_query("hello")
    (tmp_path / FILE).write_bytes(b"half a fi")
    assert (await MiniLM(tmp_path).embed_query("hello")).shape == (384,)
