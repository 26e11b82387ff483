"""`athenaeum audit`: who decided what."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from athenaeum.commands import listing
from athenaeum.commands.console import AsJson, escaped, out, run, show_json
from athenaeum.commands.tenancy import Limit, of_each_tenant

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.audit import Entry, Integrity

app = typer.Typer(
    no_args_is_help=True,
    help="See who approved, installed, changed or erased what, and whether that log was tampered with."
    "\n\nExample: athenaeum audit verify",
)

Anchor = Annotated[
    str | None,
    typer.Option("--anchor", metavar="ANCHOR", help="What an earlier run printed: a log must still hold it."),
]


@app.command("list")
def list_(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List the latest entries of every tenant's log, the latest first.

    Example: athenaeum audit list --limit 20
    """
    listing.show(
        run(_list(limit)),
        {
            "time": lambda entry: f"{entry.recorded_at:%Y-%m-%d %H:%M:%S}",
            "what": lambda entry: entry.deed,
            "by": lambda entry: entry.actor,
            "of": lambda entry: entry.subject,
            "more": lambda entry: " ".join(f"{key}={value}" for key, value in entry.detail.items()),
        },
        nothing="no entries",
        as_json=as_json,
        fields=_fields,
    )


@app.command()
def verify(anchor: Anchor = None, as_json: AsJson = False) -> None:
    """Look for entries that were changed, taken out or cut off; exit status 1 where there are any.

    Keep the anchors that it prints somewhere else: only they show that a whole log was written anew.

    Example: athenaeum audit verify
    """
    logs, held = run(_verify(anchor))
    lost = anchor is not None and not held
    if as_json:
        show_json({"lost_anchor": lost, "logs": [{"tenant": name, **asdict(verdict)} for name, verdict in logs]})
    else:
        for name, verdict in logs:
            told = verdict.fault or f"{verdict.entries} entries, anchor {verdict.anchor}"
            out.print(f"{escaped(name)}: {escaped(told)}", soft_wrap=True)
        if lost:
            out.print(
                f"no log holds the anchor {escaped(anchor or '')}: the one it is from was rewritten", soft_wrap=True
            )
    if lost or any(verdict.fault for _, verdict in logs):
        raise typer.Exit(1)


def _fields(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "hash": entry.hash.hex()}


async def _list(limit: int) -> list[tuple[str, list[Entry]]]:
    from athenaeum.database import audit

    return await of_each_tenant(partial(audit.entries, limit=limit))


async def _verify(anchor: str | None) -> tuple[list[tuple[str, Integrity]], bool]:
    from athenaeum.database import audit

    async def verify(session: AsyncSession) -> tuple[Integrity, bool]:
        return await audit.verify(session), anchor is not None and await audit.holds(session, anchor)

    found = await of_each_tenant(verify)
    return [(name, verdict) for name, (verdict, _) in found], any(held for _, (_, held) in found)
