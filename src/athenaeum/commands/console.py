"""What the commands print, and how they run."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from athenaeum.config import Config
from athenaeum.observability.logging import configure_logging

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from athenaeum.documents.library import OnProgress
    from athenaeum.documents.report import Progress as Step

T = TypeVar("T")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def settings(*, quiet: bool = True) -> Config:
    """The checked configuration; `quiet` keeps everything below an error out of the terminal.

    Raises:
        Misconfigured: naming every fault.
    """
    configure_logging(level="ERROR" if quiet else "INFO")
    config = Config()
    config.validate()
    return config


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end."""
    return asyncio.run(work)


def show_json(value: Any) -> None:
    """Print a value for a script: JSON on standard output, nothing else beside it."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def complain(message: str, *, status: int = 1) -> int:
    """Print what is wrong to standard error and give the exit status."""
    for line in message.splitlines():
        err.print(f"[bold red]athenaeum:[/] {escaped(line)}", soft_wrap=True)
    return status


def escaped(text: str) -> str:
    """Text as Rich prints it, markup or not."""
    return text.replace("[", "\\[")


@contextmanager
def progress_bar() -> Generator[OnProgress]:
    """A bar per phase on standard error while documents are read and embedded."""
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, TextColumn("[dim]{task.fields[current]}"), console=err, transient=True, disable=not err.is_terminal
    ) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(step: Step) -> None:
            phase = step.phase.value
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=step.total, current="")
            progress.update(tasks[phase], completed=step.done, total=step.total, current=escaped(step.current[-60:]))

        yield tell
