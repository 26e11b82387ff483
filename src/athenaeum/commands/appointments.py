"""`athenaeum appointments`: the digests and reminders that people asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, escaped, out, run, settings, show_json
from athenaeum.commands.tenancy import of_each_tenant
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from athenaeum.conversations.appointments.book import Appointment

app = typer.Typer(
    no_args_is_help=True,
    help="See the digests and reminders that people asked for, and end one.\n\nExample: athenaeum appointments list",
)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List them, the next one of each tenant first; what reminders say is nobody's business here.

    Example: athenaeum appointments list
    """
    from athenaeum.conversations.appointments import book

    found = run(of_each_tenant(book.listed))
    if as_json:
        show_json([_told(name, one) for name, kept in found for one in kept])
        return
    if not any(kept for _, kept in found):
        out.print("nobody has asked for a digest or a reminder")
        return
    table = Table("tenant", "number", "what", "channel", "asked by", "next", "rhythm", box=None, pad_edge=False)
    for name, kept in found:
        for one in kept:
            table.add_row(*(escaped(str(value or "")) for value in _told(name, one).values()))
    out.print(table)


@app.command()
def end(number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `appointments list` shows it.")]) -> None:
    """End one: nothing more of it is said.

    Example: athenaeum appointments end 12
    """
    ended = run(_end(number))
    out.print(f"ended the {ended.occasion.value} of {ended.owner} in {ended.channel}")


async def _end(number: int) -> Appointment:
    from athenaeum.conversations.appointments import book
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        for tenant in await register.names(database):
            async with database.session(tenant) as session:
                if found := await book.numbered(session, number):
                    await book.end(session, tenant, found.id)
                    return found
    raise Refused(f"there is no appointment {number}: `athenaeum appointments list` shows those that there are")


def _told(tenant: str, one: Appointment) -> dict[str, Any]:
    from athenaeum.conversations.appointments.telling import told_rhythm

    return {
        "tenant": tenant,
        "number": one.number,
        "what": one.occasion.value,
        "channel": one.channel,
        "owner": one.owner,
        "next": f"{one.next_at.astimezone(one.zone):%Y-%m-%d %H:%M %Z}",
        "rhythm": told_rhythm(one.every) if one.every else None,
    }
