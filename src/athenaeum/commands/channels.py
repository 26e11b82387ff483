"""`athenaeum channels`: what is answered in a channel without a mention."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, escaped, out, run, show_json
from athenaeum.commands.tenancy import Tenant, session_of
from athenaeum.domain.channel import Mode
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.modes import ChannelSetting

app = typer.Typer(
    no_args_is_help=True,
    help="Say in which channels to answer without a mention.\n\nExample: athenaeum channels mode platform questions",
)


@app.command("list")
def list_(tenant: Tenant = None, as_json: AsJson = False) -> None:
    """List the channels and what is answered in each.

    Example: athenaeum channels list
    """
    found = run(_list(tenant))
    if as_json:
        show_json([asdict(setting) for setting in found])
        return
    table = Table("channel", "id", "answers", box=None, pad_edge=False)
    table.add_column("today", justify="right")
    for setting in found:
        today = "" if setting.mode is Mode.MENTIONS else f"{setting.answered} of {setting.cap}"
        table.add_row(escaped(f"#{setting.name}"), setting.channel, setting.mode.value, today)
    out.print(table)


@app.command()
def mode(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Its name or id.")],
    answers: Annotated[
        Mode,
        typer.Argument(
            metavar="MODE", help=f"{', '.join(Mode)}: what is answered; what it suggests the writer alone sees."
        ),
    ],
    cap: Annotated[int, typer.Option("--cap", min=1, help="Answers a day without a mention, at most.")] = 20,
    tenant: Tenant = None,
) -> None:
    """Answer in a channel by this mode from now on.

    Example: athenaeum channels mode platform questions --cap 10
    """
    setting = run(_set(channel, answers, cap, tenant))
    told = "" if answers is Mode.MENTIONS else f", {setting.cap} a day at most"
    out.print(f"#{escaped(setting.name)}: {answers.value}{told}")


async def channel_named(session: AsyncSession, channel: str) -> ChannelSetting:
    """The channel with this name or id, which people may write with a `#`."""
    from athenaeum.conversations import modes

    wanted = channel.removeprefix("#")
    known = await modes.list_settings(session)
    found = [one for one in known if wanted == one.channel] or [one for one in known if wanted == one.name]
    if not found:
        raise Refused(f"there is no channel {channel!r}: `athenaeum channels list` shows those that are known")
    if len(found) > 1:
        raise Refused(f"{len(found)} channels are called {channel!r}: give the id")
    return found[0]


async def _list(tenant: str | None) -> list[ChannelSetting]:
    from athenaeum.conversations import modes

    async with session_of(tenant) as (session, _):
        return await modes.list_settings(session)


async def _set(channel: str, answers: Mode, cap: int, tenant: str | None) -> ChannelSetting:
    from athenaeum.conversations import modes
    from athenaeum.database.audit import OPERATOR, Deed, record

    async with session_of(tenant) as (session, of):
        setting = await channel_named(session, channel)
        await modes.set_mode(session, setting.channel, answers, cap=cap)
        changed = {"mode": answers.value, "cap": cap}
        await record(session, Deed.MODE_CHANGED, tenant=of, actor=OPERATOR, subject=setting.channel, **changed)
    return replace(setting, mode=answers, cap=cap)
