from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from athenaeum.errors import Misconfigured
from athenaeum.llm.embeddings import EmbedderUnavailable, build_embedder

KEY = "k" * 20


@dataclass
class Keys:
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None


class Service:
    """An embeddings API whose vectors count letters, and which can be told to fail."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[dict[str, Any]] = []

    async def embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append({**body, "key": request.headers["Authorization"]})
        if self.status != 200:
            return web.json_response({"error": {"message": "no", "type": "x", "code": "x"}}, status=self.status)
        inputs = [body["input"]] if isinstance(body["input"], str) else body["input"]
        data = [
            {"object": "embedding", "index": index, "embedding": [float(len(text)), 2.0, 0.0]}
            for index, text in enumerate(inputs)
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": data, "model": body["model"], "usage": usage})


@pytest.fixture
async def service() -> AsyncGenerator[tuple[Service, str]]:
    service = Service()
    app = web.Application()
    app.router.add_post("/v1/embeddings", service.embed)
    async with TestServer(app, host="127.0.0.1") as server:
        yield service, str(server.make_url("/v1"))


def test_none_searches_by_words(tmp_path: Path) -> None:
    assert build_embedder("none", Keys(), tmp_path) is None


@pytest.mark.parametrize("spec", [None, "offline"])
def test_the_offline_embedder_is_the_default(tmp_path: Path, spec: str | None) -> None:
    embedder = build_embedder(spec, Keys(), tmp_path)
    assert embedder is not None
    assert embedder.name == "all-MiniLM-L6-v2"


@pytest.mark.parametrize("spec", ["", "openai", "openai:", "nonsense:model"])
def test_an_unknown_embedder_is_refused(tmp_path: Path, spec: str) -> None:
    with pytest.raises(Misconfigured, match="ATHENAEUM_EMBEDDER"):
        build_embedder(spec, Keys(), tmp_path)


def test_a_hosted_embedder_without_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="OPENAI_API_KEY"):
        build_embedder("openai:text-embedding-3-small", Keys(), tmp_path)


async def test_a_hosted_embedder_asks_the_service_and_normalises(tmp_path: Path, service: tuple[Service, str]) -> None:
    server, url = service
    embedder = build_embedder("openai:small", Keys(SecretStr(KEY), url), tmp_path)
    assert embedder is not None
    vectors = await embedder.embed_passages(["a", "b" * 7])
    assert vectors.shape == (2, 3)
    assert vectors[0].tolist() == pytest.approx([1 / 5**0.5, 2 / 5**0.5, 0.0])
    assert embedder.dimensions == 3
    assert server.requests[0]["model"] == "small"
    assert server.requests[0]["key"] == f"Bearer {KEY}"


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_a_service_that_fails_is_unavailable(tmp_path: Path, service: tuple[Service, str], status: int) -> None:
    server, url = service
    server.status = status
    embedder = build_embedder("openai:small", Keys(SecretStr(KEY), url), tmp_path)
    assert embedder is not None
    with pytest.raises(EmbedderUnavailable):
        await embedder.embed_query("hello")


async def test_a_service_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    embedder = build_embedder("openai:small", Keys(SecretStr(KEY), "http://127.0.0.1:9/v1"), tmp_path)
    assert embedder is not None
    with pytest.raises(EmbedderUnavailable):
        await embedder.embed_query("hello")
