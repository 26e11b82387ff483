"""Celery's own entrance, for those who run it by `celery -A athenaeum worker`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import signals

from athenaeum.config import Config
from athenaeum.observability.logging import configure_logging
from athenaeum.wiring.broker import celery_app
from athenaeum.wiring.host import Host
from athenaeum.worker.celery.app import register

if TYPE_CHECKING:
    from celery import Celery


def _open(config: Config) -> Celery:
    """The application, with its task and a host for it."""
    config.validate()
    opened, host = celery_app(config), Host(config)
    register(opened, host.work)
    for signal, receiver in (
        (signals.worker_process_init, host.begin),
        (signals.worker_shutting_down, host.stop),
        (signals.worker_process_shutdown, host.end),
        (signals.worker_shutdown, host.end),
        (signals.setup_logging, _configure_logging),
    ):
        signal.connect(receiver, weak=False)
    return opened


def _configure_logging(loglevel: int | str | None = None, **_: object) -> None:
    configure_logging(level="DEBUG" if loglevel in {"DEBUG", 10} else "INFO")


app = _open(Config())
"""Where Celery looks for it."""
