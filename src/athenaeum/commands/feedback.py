"""`athenaeum feedback`: what people say of answers."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, escaped, out, run, short, show_json
from athenaeum.commands.tenancy import Limit, of_each_tenant

if TYPE_CHECKING:
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
    if as_json:
        show_json([{"tenant": name, **asdict(opinion)} for name, given in opinions for opinion in given])
        return
    if not any(given for _, given in opinions):
        out.print("nobody has said anything of an answer yet")
        return
    table = Table("tenant", "time", "verdict", "by", "channel", "question", box=None, pad_edge=False)
    has_reasons = any(opinion.reason for _, given in opinions for opinion in given)
    if has_reasons:
        table.add_column("reason")
    for name, given in opinions:
        for opinion in given:
            when = f"{opinion.given_at:%Y-%m-%d %H:%M:%S}"
            told = (name, when, opinion.verdict, opinion.user, opinion.channel, short(opinion.question))
            why = (short(opinion.reason or ""),) if has_reasons else ()
            table.add_row(*map(escaped, (*told, *why)))
    out.print(table)


async def _list(limit: int) -> list[tuple[str, list[Opinion]]]:
    from athenaeum.conversations import feedback

    return [(name, list(given)) for name, given in await of_each_tenant(partial(feedback.latest, limit=limit))]
