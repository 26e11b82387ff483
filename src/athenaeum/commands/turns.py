"""`athenaeum turns`: questions that are not answered yet."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, escaped, out, run, short, show_json
from athenaeum.commands.tenancy import Limit, of_each_tenant

if TYPE_CHECKING:
    from athenaeum.conversations.turns import Parked

app = typer.Typer(
    no_args_is_help=True,
    help="See which questions wait for a person.\n\nExample: athenaeum turns parked",
)


@app.command()
def parked(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List the turns whose asker has to approve something first, and until when they may.

    Example: athenaeum turns parked
    """
    found = run(_parked(limit))
    if as_json:
        show_json([{"tenant": name, **asdict(turn)} for name, turns in found for turn in turns])
        return
    if not any(turns for _, turns in found):
        out.print("no turn waits for anybody")
        return
    table = Table("tenant", "until", "asker", "channel", "tools", "question", box=None, pad_edge=False)
    for name, turns in found:
        for turn in turns:
            until = f"{turn.expires_at.astimezone():%Y-%m-%d %H:%M}"
            table.add_row(
                *map(escaped, (name, until, turn.asker, turn.channel, ", ".join(turn.tools), short(turn.question)))
            )
    out.print(table)


async def _parked(limit: int) -> list[tuple[str, list[Parked]]]:
    from athenaeum.conversations import turns

    return await of_each_tenant(partial(turns.parked, limit=limit))
