"""The `athenaeum` command: names the commands, and turns every expected error into one line."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from athenaeum.commands import ask, database, demo, documents, doctor, events, serving, slack
from athenaeum.commands.console import complain
from athenaeum.errors import AthenaeumError

app = typer.Typer(
    name="athenaeum",
    help="An AI teammate in Slack that answers once, with sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo.demo)
app.command()(serving.up)
app.command()(serving.gateway)
app.command()(serving.worker)
app.command()(serving.janitor)
app.command()(ask.ask)
app.command()(doctor.doctor)
app.add_typer(documents.app, name="docs")
app.add_typer(events.app, name="events")
app.add_typer(slack.app, name="slack")
app.add_typer(database.app, name="db")


def main() -> None:
    """Run the command line; exit status 0 done, 1 failed, 2 called wrongly."""
    sys.exit(_status())


def _status() -> int:
    try:
        outcome = app(standalone_mode=False)
    except TyperException as error:
        return complain(
            f"{error.format_message().rstrip('.')}; see athenaeum --help", status=getattr(error, "exit_code", 2)
        )
    except AthenaeumError as error:
        return complain(str(error))
    except ExceptionGroup as group:
        expected = group.subgroup(AthenaeumError)
        if expected is None:
            raise
        return complain(str(_first(expected)))
    except KeyboardInterrupt:
        return 130
    return outcome if isinstance(outcome, int) else 0


def _first(group: BaseExceptionGroup[AthenaeumError]) -> AthenaeumError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
