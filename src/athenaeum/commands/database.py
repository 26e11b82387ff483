"""`athenaeum db`: the schema."""

from __future__ import annotations

from typing import Annotated

import typer

from athenaeum.commands.console import out, run, settings, show_json
from athenaeum.errors import Misconfigured

app = typer.Typer(
    no_args_is_help=True,
    help="Bring the database up to date, and look whether it is.\n\nExample: athenaeum db migrate",
)


@app.command()
def migrate() -> None:
    """Apply the migrations that are missing.

    Example: athenaeum db migrate
    """
    run(_migrate())


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Say whether the database answers and is up to date; exit status 1 when it is not.

    Example: athenaeum db check
    """
    try:
        missing = run(_missing())
    except Misconfigured as error:
        if as_json:
            show_json({"reachable": False, "reason": str(error), "missing": None})
            raise typer.Exit(1) from error
        raise
    if as_json:
        show_json({"reachable": True, "missing": missing})
    else:
        found = "up to date" if not missing else f"missing: {', '.join(missing)}; run athenaeum db migrate"
        out.print(found, soft_wrap=True)
    if missing:
        raise typer.Exit(1)


async def _migrate() -> None:
    from athenaeum.wiring.database import open_database

    async with open_database(settings(quiet=False)):
        out.print("up to date")


async def _missing() -> list[str]:
    from athenaeum.database.migrate import pending
    from athenaeum.wiring.database import locate_database

    async with locate_database(settings()) as url:
        return await pending(url)
