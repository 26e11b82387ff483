"""Whether the models answer: one tiny request to each of the chain."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import ModelRequest

from athenaeum.diagnostics.finding import Finding, Verdict, fault, ok
from athenaeum.errors import Misconfigured, RetryLater
from athenaeum.llm.faults import translate
from athenaeum.llm.models import build_model, default_spec
from athenaeum.llm.offline import OFFLINE
from athenaeum.wiring.agent import model_keys

if TYPE_CHECKING:
    from athenaeum.config import Config
    from athenaeum.llm.models import ModelKeys

SUBJECT = "model"
_PATIENCE = 30.0  # seconds; the client itself tries three times


async def look(config: Config) -> list[Finding]:
    """Ask each model of the chain; while one answers, the others' faults are warnings."""
    keys = model_keys(config)
    spec = default_spec(keys) if config.model is None else config.model
    names = [name for name in (part.strip() for part in spec.split(",")) if name]
    if not names:
        return [fault(SUBJECT, "ATHENAEUM_MODEL names no model", "set it to PROVIDER:NAME or offline, or unset it")]
    found = [await _ask(name, keys) for name in names]
    if any(finding.status is Verdict.OK for finding in found):
        return [replace(finding, status=_lenient(finding.status)) for finding in found]
    return found


async def _ask(name: str, keys: ModelKeys) -> Finding:
    if name == OFFLINE:
        return ok(SUBJECT, "offline: it quotes what it finds and needs no key")
    started = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE), build_model(name, keys) as model:
            await model_request(model, [ModelRequest.user_text_prompt("Say ok.")], model_settings={"max_tokens": 16})
    except Misconfigured as error:
        return fault(SUBJECT, str(error), "set ATHENAEUM_MODEL to a PROVIDER:NAME that has its key, or to offline")
    except AgentRunError as error:
        told = translate(error)
        return fault(SUBJECT, str(told), _mend(name, passing=isinstance(told, RetryLater)))
    except TimeoutError:
        return fault(SUBJECT, f"{name}: no answer within {_PATIENCE:.0f} s", _mend(name, passing=True))
    return ok(SUBJECT, f"{name} answered in {time.perf_counter() - started:.1f} s")


def _mend(name: str, *, passing: bool) -> str:
    provider = name.partition(":")[0].partition("-")[0].upper()
    if passing:
        return f"check the network and {provider}_BASE_URL, or run athenaeum doctor again in a minute"
    return f"mend {provider}_API_KEY or ATHENAEUM_MODEL; ATHENAEUM_MODEL=offline needs no key"


def _lenient(status: Verdict) -> Verdict:
    return Verdict.WARNING if status is Verdict.FAULT else status
