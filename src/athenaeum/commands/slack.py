"""`athenaeum slack`: the Slack app."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from athenaeum.commands import history
from athenaeum.commands.console import show_json

app = typer.Typer(
    no_args_is_help=True,
    help="Set up the Slack app, and read what was said before.\n\nExample: athenaeum slack manifest",
)
app.command("import")(history.import_)
app.command()(history.backfill)
app.command()(history.rebuild)


@app.command()
def manifest(
    name: Annotated[str, typer.Option(help="The app's name, as people see and mention it.")] = "Athenaeum",
    request_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where Slack delivers events over HTTP; without it, by Socket Mode."),
    ] = None,
    command: Annotated[
        str, typer.Option(metavar="NAME", help="The slash command; empty for an app without one.")
    ] = "athenaeum",
    home: Annotated[bool, typer.Option("--home/--no-home", help="Whether the app has a Home tab.")] = True,
    agent: Annotated[bool, typer.Option("--agent", help="An app that Slack treats as an agent, from then on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False,
) -> None:
    """Print the manifest that api.slack.com takes to create or update the app.

    Example: athenaeum slack manifest
    """
    import yaml

    from athenaeum.slack import manifest as app_manifest

    if request_url is not None and not request_url.startswith("https://"):
        raise typer.BadParameter("Slack delivers to https:// addresses only", param_hint="--request-url")
    command = command.removeprefix("/")
    if not re.fullmatch(r"[a-z0-9_-]{0,31}", command):
        raise typer.BadParameter("at most 31 small letters, digits, - and _", param_hint="--command")
    described = app_manifest.manifest(name, request_url=request_url, command=command, home=home, agent=agent)
    if as_json:
        show_json(described)
    else:
        yaml.safe_dump(described, sys.stdout, sort_keys=False, allow_unicode=True, width=100)
