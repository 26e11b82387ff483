"""The Celery application: messages are ids and nothing else, and Celery itself retries and stores nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.exceptions import Reject
from kombu.exceptions import OperationalError

from athenaeum.domain.identity import EventId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TASK = "athenaeum.work"

BROKER_FAULTS = (OperationalError, OSError)
"""What publishing meets while the broker is away."""

_SETTINGS: dict[str, Any] = {
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_ignore_result": True,
    "task_acks_late": True,  # a message is gone once its event's outcome is durable
    "worker_prefetch_multiplier": 1,  # a turn takes seconds: what one worker hoards, another could begin
    "worker_cancel_long_running_tasks_on_connection_loss": False,  # the event is ours by its lease, not by its message
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # for ever: without its broker a worker has nothing else to do
    "broker_connection_timeout": 4,
}
_REDIS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 4,
    "socket_keepalive": True,
    "polling_interval": 0.2,  # seconds of a BRPOP: who stops waits for the end of one
}
_AMQP = {"confirm_publish": True}
_AT_ONCE = {"max_retries": 1, "interval_start": 0}


def build_app(broker_url: str, *, queue: str = "athenaeum") -> Celery:
    """An application for this broker and the queue of that name there; nothing is opened."""
    app = Celery("athenaeum", broker=broker_url, set_as_current=False)
    transport = _AMQP if "amqp" in broker_url.partition("://")[0] else _REDIS
    app.conf.update(_SETTINGS, task_default_queue=queue, broker_transport_options=transport)
    return app


def register(app: Celery, work: Callable[[EventId], bool]) -> None:
    """Have `app` call `work` with each id that is brought; False puts the message back, for another worker."""

    def perform(event_id: int) -> None:
        if not work(EventId(event_id)):
            raise Reject("this worker is stopping", requeue=True)

    app.task(perform, name=TASK, shared=False)


def publish(app: Celery, ids: Sequence[EventId]) -> None:
    """Send a message for each event; blocks, for a few seconds at most.

    Raises:
        BROKER_FAULTS: The broker is away; some of the messages may have been sent.
    """
    with app.producer_or_acquire() as producer:
        for event in ids:
            app.send_task(TASK, (event,), producer=producer, ignore_result=True, retry=True, retry_policy=_AT_ONCE)
