"""What a command says when it fails: one line, never a traceback."""

from __future__ import annotations

import os
import tempfile
import traceback
from typing import TYPE_CHECKING

from athenaeum.commands.console import complain
from athenaeum.errors import AthenaeumError

if TYPE_CHECKING:
    from types import TracebackType

_LOOK = "athenaeum doctor looks for the cause"


def explain(error: BaseException) -> str | None:
    """The line for a failure that can happen to anyone; None for a defect of ours."""
    if isinstance(error, BaseExceptionGroup):
        told = (explain(inner) for inner in error.exceptions)
        return next((line for line in told if line is not None), None)
    if isinstance(error, AthenaeumError):
        return str(error)
    if _is_of_the_database(error):
        return f"the database: {_first_line(error)}; {_LOOK}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else f"{error.strerror}; {_LOOK}"
    return None


def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in one line what ended the process; of a defect keep the traceback in a file. Made for sys.excepthook."""
    line = explain(error)
    if line is None:
        handle, path = tempfile.mkstemp(prefix="athenaeum-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            traceback.print_exception(kind, error, trace, file=file)
        line = f"unexpected {kind.__name__}: {_first_line(error)}; this is a defect, please report it with {path}"
    complain(line)


def _is_of_the_database(error: BaseException) -> bool:
    from psycopg import Error
    from sqlalchemy.exc import SQLAlchemyError

    return isinstance(error, Error | SQLAlchemyError)


def _first_line(error: BaseException) -> str:
    told = getattr(error, "orig", None) or error
    return (str(told).strip().splitlines() or [type(told).__name__])[0]
