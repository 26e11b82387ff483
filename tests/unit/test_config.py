"""athenaeum.config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from athenaeum.config import Config
from athenaeum.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.chdir(tmp_path)
    for variable in Config().describe():
        monkeypatch.delenv(variable, raising=False)


def test_defaults_need_no_environment() -> None:
    config = Config()

    config.validate()

    assert (config.port, config.worker_pool_size, config.max_retry_count) == (8001, 5, 3)
    assert config.database_url is None


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_POOL_SIZE", "many")
    monkeypatch.setenv("ATHENAEUM_PORT", "70000")
    monkeypatch.setenv("DATABASE_URL", "mysql://here")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "nonsense")

    config = Config()

    with pytest.raises(Misconfigured) as caught:
        config.validate()
    for variable in ("WORKER_POOL_SIZE", "ATHENAEUM_PORT", "DATABASE_URL", "SLACK_BOT_TOKEN"):
        assert variable in str(caught.value)
    assert config.worker_pool_size == 5


def test_variables_with_the_name_of_a_field_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("MODEL", "a-model")
    monkeypatch.setenv("PORT", "1")

    config = Config()

    assert str(config.home) == "~/.athenaeum"
    assert config.model is None
    assert config.port == 8001


def test_a_file_of_settings_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("ATHENAEUM_PORT=9000\nWORKER_POOL_SIZE=7\n")
    monkeypatch.setenv("ATHENAEUM_PORT", "9100")

    config = Config()

    assert (config.port, config.worker_pool_size) == (9100, 7)


def test_a_file_of_settings_that_is_no_text_is_named_and_left_out(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"ATHENAEUM_PORT=\xff\n")

    config = Config()

    with pytest.raises(Misconfigured, match=r"\.env: it is not UTF-8 text"):
        config.validate()
    assert config.port == 8001


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")

    assert Config().database_url is None


def test_the_log_of_the_configuration_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-" + "very-secret-thing"
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:hunter2@host/name")

    with capture_logs() as lines:
        Config().log_configuration()

    assert key not in str(lines)
    assert "hunter2" not in str(lines)
    assert lines[0]["ANTHROPIC_API_KEY"] == "set"


def test_the_broker_is_redis_unless_another_one_is_named() -> None:
    redis, rabbitmq = "redis://127.0.0.1:6379/0", "amqp://127.0.0.1//"

    assert Config().broker_url is None
    assert Config(redis_url=redis).broker_url == redis
    assert Config(redis_url=redis, celery_broker_url=rabbitmq).broker_url == rabbitmq


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ATHENAEUM_ENGINE", "celery"),  # and no broker
        ("ATHENAEUM_ENGINE", "kafka"),
        ("REDIS_URL", "localhost:6379"),
        ("CELERY_BROKER_URL", "sqs://here"),
        ("RATE_LIMIT_PER_MINUTE", "-1"),
    ],
)
def test_engines_and_brokers_that_cannot_work_are_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(Misconfigured, match=variable):
        Config().validate()
