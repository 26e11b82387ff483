"""What `import athenaeum` promises to users of the library."""

from __future__ import annotations

import subprocess
import sys

import pytest

import athenaeum

PROMISED = [
    "Config",
    "DatabaseConnection",
    "EventProcessor",
    "NewEvent",
    "Producer",
    "WorkerPool",
    "enqueue",
    "enqueue_many",
    "get_session",
    "init_db",
]


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_promised_names_are_all_there_is() -> None:
    assert sorted(athenaeum.__all__) == PROMISED
    assert set(PROMISED) <= set(dir(athenaeum))


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_name_is_the_thing_of_that_name(name: str) -> None:
    thing = getattr(athenaeum, name)

    assert thing.__name__ == {"get_session": "session"}.get(name, name)


def test_another_name_is_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        getattr(athenaeum, "Nonsense")  # noqa: B009 - pyright knows that it is not there


def test_importing_the_package_loads_no_library() -> None:
    loaded = _run("import sys, athenaeum; print(*{name.partition('.')[0] for name in sys.modules})").split()

    assert not {"sqlalchemy", "psycopg", "pydantic", "pydantic_ai", "structlog"} & set(loaded)


def test_the_queue_needs_neither_the_agent_nor_slack() -> None:
    code = "import sys; from athenaeum import WorkerPool, enqueue; print(*sys.modules)"

    assert not {"pydantic_ai", "slack_sdk", "slack_bolt", "onnxruntime"} & set(_run(code).split())
