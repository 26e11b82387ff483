"""What the commands print, and how they run."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from athenaeum.config import Config
from athenaeum.observability.logging import configure_logging

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from datetime import timedelta

    from athenaeum.documents.library import OnProgress
    from athenaeum.documents.report import Progress as Step

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]

out = Console(highlight=False)
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
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


def ask(question: str) -> None:
    """Go on only after a yes; nobody at the terminal is a wrong call."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked: give --yes", param_hint="--yes")
    typer.confirm(question, abort=True)


def duration(time: timedelta) -> str:
    """A length of time as people say it, by its two largest units."""
    if time.total_seconds() < _UNITS["m"]:
        return f"{time.total_seconds():.1f}s"
    rest, told = int(time.total_seconds()), list[str]()
    for unit, seconds in _UNITS.items():
        count, rest = divmod(rest, seconds)
        if count or told:
            told.append(f"{count}{unit}")
    return " ".join(part for part in told[:2] if not part.startswith("0"))


def short(text: str) -> str:
    """The beginning of a text, in one line of a table."""
    return " ".join(text.split())[:80]


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
