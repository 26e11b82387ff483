"""`athenaeum escalations`: who is called when somebody asks for a human, and who was."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from athenaeum.commands import listing
from athenaeum.commands.channels import channel_named
from athenaeum.commands.console import AsJson, escaped, out, run, show_json
from athenaeum.commands.tenancy import Limit, Tenant, of_each_tenant, session_of
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.escalations import Escalation
    from athenaeum.domain.identity import ChannelId

app = typer.Typer(
    no_args_is_help=True,
    help="Say whom `Ask a human` calls, and see who was called.\n\nExample: athenaeum escalations set S0123456789",
)

_HELPER = re.compile(r"[SUW][A-Z0-9]{1,63}")


def _helper(text: str) -> str:
    if not _HELPER.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no id of a user group (S…) or a person (U…): Slack shows it in its menu")
    return text


Channel = Annotated[
    str | None, typer.Option("--channel", help="In this channel, by name or id; otherwise wherever nobody else is.")
]


@app.command("list")
def list_(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List who asked for a human, those first whom nobody has helped yet.

    Example: athenaeum escalations list
    """
    listing.show(
        run(_list(limit)),
        {
            "time": lambda call: f"{call.asked_at:%Y-%m-%d %H:%M:%S}",
            "by": lambda call: call.asked_by,
            "channel": lambda call: call.channel,
            "thread": lambda call: call.thread_ts,
            "called": lambda call: call.helper,
            "resolved by": lambda call: call.resolved_by or "",
        },
        nothing="nobody has asked for a human",
        as_json=as_json,
    )


@app.command()
def helpers(tenant: Tenant = None, as_json: AsJson = False) -> None:
    """List who is called in which channel.

    Example: athenaeum escalations helpers
    """
    found = run(_helpers(tenant))
    if as_json:
        show_json([{"channel": channel or None, "helper": helper} for channel, helper in found.items()])
        return
    if not found:
        out.print("nobody is called: there is no button")
        return
    table = Table("channel", "called", box=None, pad_edge=False)
    for channel, helper in found.items():
        table.add_row(escaped(channel or "the others"), escaped(helper))
    out.print(table)


@app.command("set")
def set_(
    helper: Annotated[
        str, typer.Argument(metavar="HELPER", parser=_helper, help="The id of a user group (S…) or a person (U…).")
    ],
    channel: Channel = None,
    tenant: Tenant = None,
) -> None:
    """Put the button below answers, and have it call this user group or person.

    Example: athenaeum escalations set S0123456789 --channel platform
    """
    run(_set(helper, channel, tenant))
    out.print(f"{helper} is called")


@app.command()
def unset(channel: Channel = None, tenant: Tenant = None) -> None:
    """Take back who was set for exactly this channel, or for the others.

    Example: athenaeum escalations unset --channel platform
    """
    run(_unset(channel, tenant))
    out.print("removed")


async def _list(limit: int) -> list[tuple[str, list[Escalation]]]:
    from athenaeum.conversations import escalations

    return await of_each_tenant(partial(escalations.latest, limit=limit))


async def _helpers(tenant: str | None) -> dict[ChannelId, str]:
    from athenaeum.conversations import escalations

    async with session_of(tenant) as (session, _):
        return await escalations.helpers(session)


async def _set(helper: str, channel: str | None, tenant: str | None) -> None:
    from athenaeum.conversations import escalations
    from athenaeum.database.audit import OPERATOR, Deed, record

    async with session_of(tenant) as (session, of):
        place = await _place(session, channel)
        await escalations.set_helper(session, helper, channel=place)
        subject = place or "all"
        await record(session, Deed.HELPER_CHANGED, tenant=of, actor=OPERATOR, subject=subject, helper=helper)


async def _unset(channel: str | None, tenant: str | None) -> None:
    from athenaeum.conversations import escalations
    from athenaeum.database.audit import OPERATOR, Deed, record

    async with session_of(tenant) as (session, of):
        place = await _place(session, channel)
        if not await escalations.unset_helper(session, channel=place):
            raise Refused("nobody is set for exactly this: `athenaeum escalations helpers` shows all")
        await record(session, Deed.HELPER_CHANGED, tenant=of, actor=OPERATOR, subject=place or "all", helper=None)


async def _place(session: AsyncSession, channel: str | None) -> ChannelId:
    from athenaeum.conversations.escalations import EVERYWHERE

    return EVERYWHERE if channel is None else (await channel_named(session, channel)).channel
