"""`athenaeum feedback`: what people say of answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from athenaeum.commands import listing
from athenaeum.commands.console import AsJson, run, short
from athenaeum.commands.tenancy import Limit, of_each_tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from athenaeum.conversations.feedback import Opinion

app = typer.Typer(
    no_args_is_help=True,
    help="See which answers people found helpful, and which not.\n\nExample: athenaeum feedback list",
)


@app.command("list")
def list_(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List what was said last of answers, the latest first, each person's newest word.

    Example: athenaeum feedback list --limit 20
    """
    opinions = run(_list(limit))
    columns: dict[str, Callable[[Opinion], str]] = {
        "time": lambda opinion: f"{opinion.given_at:%Y-%m-%d %H:%M:%S}",
        "verdict": lambda opinion: opinion.verdict,
        "by": lambda opinion: opinion.user,
        "channel": lambda opinion: opinion.channel,
        "question": lambda opinion: short(opinion.question),
    }
    if any(opinion.reason for _, given in opinions for opinion in given):
        columns["reason"] = lambda opinion: short(opinion.reason or "")
    listing.show(opinions, columns, nothing="nobody has said anything of an answer yet", as_json=as_json)


async def _list(limit: int) -> list[tuple[str, list[Opinion]]]:
    from athenaeum.conversations import feedback

    return [(name, list(given)) for name, given in await of_each_tenant(partial(feedback.latest, limit=limit))]
