"""The `athenaeum` command: names the commands, and turns every error into one line."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import Abort, TyperException
from typer.main import get_command

from athenaeum.commands import (
    appointments,
    ask,
    audit,
    budgets,
    channels,
    database,
    demo,
    doctor,
    documents,
    escalations,
    events,
    feedback,
    mcp,
    personas,
    serving,
    slack,
    tenants,
    turns,
)
from athenaeum.commands.console import complain
from athenaeum.commands.failure import report

_TRY, _RUN, _KEEP = "Try it", "Run it", "Look after it"

app = typer.Typer(
    name="athenaeum",
    help="An AI teammate in Slack that answers once, with sources.\n\nExample: athenaeum demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel=_TRY)(demo.demo)
app.command(rich_help_panel=_TRY)(ask.ask)
app.add_typer(documents.app, name="docs", rich_help_panel=_TRY)
app.command(rich_help_panel=_RUN)(serving.up)
app.command(rich_help_panel=_RUN)(serving.gateway)
app.command(rich_help_panel=_RUN)(serving.worker)
app.command(rich_help_panel=_RUN)(serving.janitor)
app.add_typer(mcp.app, name="mcp", rich_help_panel=_RUN)
app.command(rich_help_panel=_KEEP)(doctor.doctor)
app.add_typer(events.app, name="events", rich_help_panel=_KEEP)
app.add_typer(turns.app, name="turns", rich_help_panel=_KEEP)
app.add_typer(feedback.app, name="feedback", rich_help_panel=_KEEP)
app.add_typer(escalations.app, name="escalations", rich_help_panel=_KEEP)
app.add_typer(budgets.app, name="budgets", rich_help_panel=_KEEP)
app.add_typer(tenants.app, name="tenants", rich_help_panel=_KEEP)
app.add_typer(personas.app, name="personas", rich_help_panel=_KEEP)
app.add_typer(database.app, name="db", rich_help_panel=_KEEP)
app.add_typer(audit.app, name="audit", rich_help_panel=_KEEP)
app.add_typer(channels.app, name="channels", rich_help_panel=_KEEP)
app.add_typer(appointments.app, name="appointments", rich_help_panel=_KEEP)
app.add_typer(slack.app, name="slack", rich_help_panel=_KEEP)


def main() -> None:
    """Run the command line; exit status 0 done, 1 failed, 2 called wrongly."""
    sys.excepthook = report
    sys.exit(_status())


def _status() -> int:
    try:
        outcome = get_command(app)(standalone_mode=False)  # calling the app itself would install Typer's excepthook
    except TyperException as error:
        return _called_wrongly(error)
    except (Abort, KeyboardInterrupt):
        return 130
    return outcome if isinstance(outcome, int) else 0


def _called_wrongly(error: TyperException) -> int:
    told = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "athenaeum"
    # without arguments the help itself has been printed
    return complain(f"{told}; see {command} --help" if told else "", status=getattr(error, "exit_code", 2))
