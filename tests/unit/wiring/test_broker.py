"""athenaeum.wiring.broker and athenaeum.wiring.limit: what is said where an extra is not installed."""

from __future__ import annotations

import sys

import pytest

from athenaeum.config import Config
from athenaeum.errors import Misconfigured
from athenaeum.tenants.limits import PostgresBucket, Rate, Rates
from athenaeum.wiring.broker import celery_app
from athenaeum.wiring.limit import redis_bucket

URL = "redis://127.0.0.1:6379/0"
RATES = Rates(Rate.per_minute(30))


def test_without_celery_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "athenaeum.worker.celery.app", None)

    with pytest.raises(Misconfigured, match=r"pip install 'athenaeum\[celery\]'"):
        celery_app(Config(engine="celery", redis_url=URL))


def test_without_redis_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "athenaeum.tenants.limits.redis", None)

    with pytest.raises(Misconfigured, match=r"pip install 'athenaeum\[redis\]'"):
        redis_bucket(URL, RATES, otherwise=PostgresBucket(RATES))


def test_each_bot_has_a_queue_of_its_own_whose_name_tells_no_token() -> None:
    names = {
        celery_app(Config(redis_url=URL, slack_bot_token=token)).conf.task_default_queue
        for token in ("xoxb-" + "lantern", "xoxb-" + "harbour", None)
    }

    assert len(names) == 3
    assert not any("lantern" in name for name in names)


def test_messages_are_json_and_nothing_else_is_taken() -> None:
    settings = celery_app(Config(redis_url=URL)).conf

    assert (settings.task_serializer, settings.accept_content) == ("json", ["json"])
    assert settings.task_acks_late
    assert settings.worker_prefetch_multiplier == 1
