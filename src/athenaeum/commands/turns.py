"""`athenaeum turns`: questions that are not answered yet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from athenaeum.commands import listing
from athenaeum.commands.console import AsJson, run, short
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
    listing.show(
        run(_parked(limit)),
        {
            "until": lambda turn: f"{turn.expires_at.astimezone():%Y-%m-%d %H:%M}",
            "asker": lambda turn: turn.asker,
            "channel": lambda turn: turn.channel,
            "tools": lambda turn: ", ".join(turn.tools),
            "question": lambda turn: short(turn.question),
        },
        nothing="no turn waits for anybody",
        as_json=as_json,
    )


async def _parked(limit: int) -> list[tuple[str, list[Parked]]]:
    from athenaeum.conversations import turns

    return await of_each_tenant(partial(turns.parked, limit=limit))
