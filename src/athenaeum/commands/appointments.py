"""`athenaeum appointments`: the digests and reminders that people asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from athenaeum.commands import listing
from athenaeum.commands.console import AsJson, out, run, settings
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

    listing.show(
        run(of_each_tenant(book.listed)),
        {
            "number": lambda one: str(one.number),
            "what": lambda one: one.occasion.value,
            "channel": lambda one: one.channel,
            "asked by": lambda one: one.owner,
            "next": _next,
            "rhythm": _rhythm,
        },
        nothing="nobody has asked for a digest or a reminder",
        as_json=as_json,
        fields=_fields,
    )


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


def _fields(one: Appointment) -> dict[str, Any]:
    return {
        "number": one.number,
        "what": one.occasion.value,
        "channel": one.channel,
        "owner": one.owner,
        "next": _next(one),
        "rhythm": _rhythm(one) or None,
    }


def _next(one: Appointment) -> str:
    return f"{one.next_at.astimezone(one.zone):%Y-%m-%d %H:%M %Z}"


def _rhythm(one: Appointment) -> str:
    from athenaeum.conversations.appointments.telling import told_rhythm

    return told_rhythm(one.every) if one.every else ""
