"""athenaeum.observability.logging."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from athenaeum.observability.logging import configure_logging, hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)


def test_every_line_is_an_object_with_the_promised_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(as_json=True)

    with structlog.contextvars.bound_contextvars(operation_id="op-1"):
        structlog.get_logger("here").info("event.claimed", duration_ms=1.5)
    logging.getLogger("uvicorn").warning("of the standard library")

    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for field in ("timestamp", "level", "logger", "message", "module", "function", "line"):
        assert all(field in line for line in lines)
    assert lines[0]["operation_id"] == "op-1"
    assert lines[0]["duration_ms"] == 1.5


@pytest.mark.parametrize(
    "leak",
    [
        {"bot_token": "anything"},
        {"text": "key is xoxb-" + "1-2-abc"},
        {"url": "postgresql://me:pw@host/db"},
        {"nested": {"password": "anything", "list": ["xapp-" + "1-abc"]}},
    ],
)
def test_secrets_do_not_pass(leak: dict[str, Any]) -> None:
    shown = str(hide_secrets(None, "info", leak))

    assert "[hidden]" in shown
    for secret in ("anything", "1-2-abc", "me:pw", "1-abc"):
        assert secret not in shown


def test_counts_of_tokens_are_no_secrets() -> None:
    assert hide_secrets(None, "info", {"input_tokens": 3}) == {"input_tokens": 3}


def test_whether_a_secret_is_set_is_no_secret() -> None:
    assert hide_secrets(None, "info", {"SLACK_BOT_TOKEN": "unset"}) == {"SLACK_BOT_TOKEN": "unset"}


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_tells_no_values_of_variables_and_no_secrets(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    configure_logging(as_json=as_json)

    def fail(*, said: str, secret: str) -> None:
        raise ValueError(secret if said else "")

    try:
        fail(said="what a person " + "wrote", secret="xoxb-" + "1-2-abc")
    except ValueError:
        structlog.get_logger("here").exception("tool.failed")

    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "what a person wrote" not in told
    assert "xoxb-1-2-abc" not in told
