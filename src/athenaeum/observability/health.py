"""Health of a process, as asked by people, probes and Prometheus: a router that any of them can mount."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import structlog
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

log = structlog.get_logger(__name__)

_PATIENCE = 3.0  # seconds; longer than the database's own check takes


class Status(StrEnum):
    """How a part is; the worst part is how the process is."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


_ORDER = (Status.UP, Status.DEGRADED, Status.DOWN)


@dataclass(frozen=True, slots=True)
class Probe:
    """A look at one part: `detail` says in one line what is wrong, `facts` are numbers worth a look."""

    status: Status
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def shown(self) -> dict[str, Any]:
        """The probe as JSON."""
        return {"status": self.status.value, **({"detail": self.detail} if self.detail else {}), **self.facts}


Probes = Mapping[str, Callable[[], Awaitable[Probe]]]


async def examine(probes: Probes) -> dict[str, Probe]:
    """Ask all probes at once; one that hangs or breaks is down."""
    async with asyncio.TaskGroup() as group:
        asked = {name: group.create_task(_ask(name, probe)) for name, probe in probes.items()}
    return {name: task.result() for name, task in asked.items()}


async def _ask(name: str, probe: Callable[[], Awaitable[Probe]]) -> Probe:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await probe()
    except TimeoutError:
        return Probe(Status.DOWN, f"no answer within {_PATIENCE:.0f} s")
    except (OSError, RuntimeError, ValueError) as error:
        log.warning("health.broken", probe=name, exc_info=error)
        return Probe(Status.DOWN, f"the check itself failed: {type(error).__name__}")


def worst(statuses: Mapping[str, Probe]) -> Status:
    """The status of the whole."""
    return max((probe.status for probe in statuses.values()), key=_ORDER.index, default=Status.UP)


def health_router(probes: Probes) -> APIRouter:
    """`/live`: the process runs. `/ready`: nothing it needs is down. `/health`: each part. `/metrics`: Prometheus."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> JSONResponse:  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        parts = await examine(probes)
        overall = worst(parts)
        shown = {"status": overall.value, **{name: probe.shown() for name, probe in parts.items()}}
        return JSONResponse(shown, status_code=503 if overall is Status.DOWN else 200)

    @router.get("/ready")
    async def ready() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        parts = await examine(probes)
        missing = [name for name, probe in parts.items() if probe.status is Status.DOWN]
        return JSONResponse({"ready": not missing, "down": missing}, status_code=503 if missing else 200)

    @router.get("/live")
    async def live() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse({"live": True})

    @router.get("/metrics")
    async def metrics() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
