"""Logs: one JSON object a line, or readable text on a terminal; secrets never pass."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from athenaeum.domain.secret import HIDDEN, mask

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_KEY = re.compile(r"token(?!s)|secret|password|authorization|api_key|cookie", re.IGNORECASE)
# beyond what looks like a credential anywhere: a log has no examples in it
_SECRET_VALUE = re.compile(r"(?:xox[a-z]|xapp)-[\w-]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|Bearer\s+[\w.~+/-]+=*")
_NO_SECRETS = ("set", "unset")  # what the configuration's log says of a secret

# Libraries that print whole payloads or every request below this level.
_CHATTY = (
    *("slack_bolt", "slack_sdk", "aiohttp", "httpx", "httpx2", "anthropic", "openai", "alembic", "sqlalchemy"),
    *("celery.app.trace", "celery.worker.strategy", "kombu", "amqp", "mcp"),
)


def configure_logging(*, level: str = "INFO", as_json: bool | None = None) -> None:
    """Set up structlog and the standard library's logging to write the same lines to stderr.

    Args:
        level: the lowest level written.
        as_json: None decides by looking: text on a terminal, JSON otherwise.
    """
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.CallsiteParameterAdder(
            [
                structlog.processors.CallsiteParameter.MODULE,
                structlog.processors.CallsiteParameter.FUNC_NAME,
                structlog.processors.CallsiteParameter.LINENO,
            ]
        ),
        structlog.processors.format_exc_info,  # before secrets are hidden, and without the values of variables
        hide_secrets,
    ]
    last: list[Processor] = [_plain_console()]
    if as_json:
        last = [_name_fields, structlog.processors.JSONRenderer(default=str)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def adopt(library: str) -> None:
    """Have a library that sets up a log of its own, when it is imported, write to ours; nothing below a warning."""
    logger = logging.getLogger(library)
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.WARNING)


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the values of secret-looking keys, and secret-looking parts of any text."""
    return {key: _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: Any) -> Any:
    if _SECRET_KEY.search(key) and value not in _NO_SECRETS:
        return HIDDEN
    return _hidden(value)


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_VALUE.sub(HIDDEN, mask(value))
    if isinstance(value, Mapping):
        return {key: _shown(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value


def _plain_console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        sort_keys=False, colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _name_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["message"] = event.pop("event", "")
    event["function"] = event.pop("func_name", None)
    event["line"] = event.pop("lineno", None)
    return event
