"""No schedule that is tried breaks the promise.

`make test` tries the same few schedules every time, `make storm` a million: see `docs/explanation/simulation.md`.
"""

from __future__ import annotations

import os

import pytest

from support.simulation.exploration import explore, tell
from support.simulation.scenarios import SETTINGS

FEW = {"queue": 6_000, "turn": 1_200}
MANY = {"queue": 800_000, "turn": 200_000}
PARTS = {"queue": 6, "turn": 6}
STORM_PARTS = 20
"""Into how many tests a storm is split, so that workers share it and its progress can be seen."""


def _storms() -> bool:
    return os.environ.get("ATHENAEUM_STORM", "") not in {"", "0"}


def _parts() -> list[tuple[str, int, int]]:
    parts: list[tuple[str, int, int]] = []
    for name in SETTINGS:
        count = STORM_PARTS if _storms() else PARTS[name]
        share = (MANY if _storms() else FEW)[name] // count
        parts += [(name, part * share, (part + 1) * share) for part in range(count)]
    return parts


@pytest.mark.timeout(3 * 3600 if _storms() else 120)
@pytest.mark.parametrize(("name", "first", "end"), _parts())
def test_no_schedule_breaks_the_promise(name: str, first: int, end: int) -> None:
    found = explore(SETTINGS[name], range(first, end))

    assert found is None, tell(SETTINGS[name], *found)
