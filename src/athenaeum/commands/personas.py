"""`athenaeum personas`: who the agent is, in a workspace, a channel, and for one person."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, escaped, out, run, settings, show_json
from athenaeum.commands.tenancy import Tenant, tenant_named
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, UserId
from athenaeum.domain.tenant import Persona
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.config import Config
    from athenaeum.tenants.personas import Face, Overrides

app = typer.Typer(
    no_args_is_help=True,
    help="Give the agent a name, a role and a tone.\n\nExample: athenaeum personas set --name Mara",
)

Channel = Annotated[str | None, typer.Option("--channel", help="In this channel alone: its name or id.")]
User = Annotated[str | None, typer.Option("--user", help="For this person alone: their id.")]
Template = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="A Jinja2 template.")]
Field = Annotated[
    list[str] | None, typer.Option("--field", metavar="FIELD", help="Only this override; may be given again.")
]


@app.command()
def show(tenant: Tenant = None, channel: Channel = None, user: User = None, as_json: AsJson = False) -> None:
    """Show what is overridden, or with a channel or a person who the agent is there.

    Example: athenaeum personas show --channel support
    """
    faces, persona = run(_show(tenant, channel, user))
    if persona is not None:
        shown = asdict(persona)
        if as_json:
            show_json(shown)
            return
        grid = Table.grid(padding=(0, 2))
        for name, value in shown.items():
            grid.add_row(name.replace("_", " "), escaped(_told(value)))
        out.print(grid)
        return
    if as_json:
        show_json([asdict(face) for face in faces])
        return
    table = Table("channel", "person", "overrides", box=None, pad_edge=False)
    for face in faces:
        told = "; ".join(f"{name}: {_told(value)}" for name, value in face.overrides.items())
        table.add_row(face.channel or "all", face.user or "all", escaped(told))
    out.print(table if faces else "nothing is overridden")


@app.command("set")
def set_(
    name: Annotated[str | None, typer.Option(help="What it is called.")] = None,
    role: Annotated[str | None, typer.Option(help="What it is there for.")] = None,
    instructions: Annotated[str | None, typer.Option(help="How to answer.")] = None,
    model: Annotated[str | None, typer.Option(help="A model that is tried before the configured ones.")] = None,
    tool: Annotated[
        list[str] | None, typer.Option(help="A tool that may be used, and no other; may be given again.")
    ] = None,
    system_template: Template = None,
    context_template: Template = None,
    tenant: Tenant = None,
    channel: Channel = None,
    user: User = None,
) -> None:
    """Override what is given, for the workspace, a channel or a person; the next question is answered by it.

    Example: athenaeum personas set --channel support --name Mara --role "customer support"
    """
    given = {
        "name": name,
        "role": role,
        "instructions": instructions,
        "model": model,
        "tools": tool,
        "system_template": system_template and system_template.read_text(encoding="utf-8"),
        "context_template": context_template and context_template.read_text(encoding="utf-8"),
    }
    overrides = {field: value for field, value in given.items() if value is not None}
    if not overrides:
        raise typer.BadParameter("give what is to be overridden, such as --name", param_hint="set")
    run(_set(tenant, channel, user, overrides))
    out.print("set")


@app.command()
def unset(tenant: Tenant = None, channel: Channel = None, user: User = None, field: Field = None) -> None:
    """Take overrides back: all of a workspace, channel or person, or single fields.

    Example: athenaeum personas unset --channel support --field model
    """
    run(_unset(tenant, channel, user, field or []))
    out.print("unset")


async def _show(tenant: str | None, channel: str | None, user: str | None) -> tuple[list[Face], Persona | None]:
    from athenaeum.tenants import personas
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        of = await tenant_named(database, tenant) or DEFAULT_TENANT
        async with database.session(of) as session:
            if channel is None and user is None:
                return await personas.every_face(session), None
            where, who = await _where(session, channel), UserId(user) if user else None
            return [], await personas.persona_for(session, where, who)


async def _set(tenant: str | None, channel: str | None, user: str | None, overrides: dict[str, Any]) -> None:
    from athenaeum.database.audit import OPERATOR, Deed, record
    from athenaeum.tenants import personas
    from athenaeum.wiring.database import open_database

    config = settings()
    await _check(config, overrides)
    async with open_database(config) as database:
        of = await tenant_named(database, tenant) or DEFAULT_TENANT
        async with database.session(of) as session:
            where = await _where(session, channel)
            given: Overrides = overrides  # pyright: ignore[reportAssignmentType] - its keys are the options' names
            await personas.set_persona(session, where, UserId(user) if user else None, **given)
            subject, changed = f"{where or 'all'}/{user or 'all'}", sorted(overrides)
            await record(session, Deed.PERSONA_CHANGED, tenant=of, actor=OPERATOR, subject=subject, changed=changed)


async def _unset(tenant: str | None, channel: str | None, user: str | None, fields: list[str]) -> None:
    from athenaeum.database.audit import OPERATOR, Deed, record
    from athenaeum.tenants import personas
    from athenaeum.wiring.database import open_database

    if unknown := sorted(set(fields) - set(personas.FIELDS)):
        raise Refused(f"a persona has no field {unknown[0]!r}: there are {', '.join(personas.FIELDS)}")
    async with open_database(settings()) as database:
        of = await tenant_named(database, tenant) or DEFAULT_TENANT
        async with database.session(of) as session:
            where, who = await _where(session, channel), UserId(user) if user else None
            if fields:
                taken: Overrides = dict.fromkeys(fields)  # pyright: ignore[reportAssignmentType] - checked above
                await personas.set_persona(session, where, who, **taken)
            elif not await personas.unset_persona(session, where, who):
                raise Refused("nothing is overridden there: `athenaeum personas show` shows what is")
            subject = f"{where or 'all'}/{user or 'all'}"
            await record(
                session, Deed.PERSONA_CHANGED, tenant=of, actor=OPERATOR, subject=subject, unset=fields or ["all"]
            )


async def _check(config: Config, overrides: dict[str, Any]) -> None:
    """Try what is given before it is kept.

    Raises:
        Refused: a tool or model is unknown.
        Misconfigured: the model has no key, or a template does not render; the message names the mend.
    """
    from athenaeum.agent.prompts import check
    from athenaeum.llm.models import build_model
    from athenaeum.tools.toolset import build_toolset
    from athenaeum.wiring.agent import model_keys
    from athenaeum.wiring.mcp import approved_tools

    known = {*build_toolset().tools, *approved_tools(config)}
    if unknown := sorted(set(overrides.get("tools") or ()) - known):
        raise Refused(f"there is no tool {unknown[0]!r}: there are {', '.join(sorted(known))}")
    if model := overrides.get("model"):
        async with build_model(model, model_keys(config), prices=config.prices):
            pass
    templates = {name: overrides[name] for name in ("system_template", "context_template") if name in overrides}
    check(replace(Persona(), **templates))


async def _where(session: AsyncSession, channel: str | None) -> ChannelId | None:
    """The channel of a name or id; of an id also one of which nothing was heard yet."""
    from athenaeum.conversations import modes

    if channel is None:
        return None
    wanted = channel.removeprefix("#")
    found = [one.channel for one in await modes.list_settings(session) if wanted in {one.channel, one.name}]
    if len(found) > 1:
        raise Refused(f"{len(found)} channels are called {channel!r}: give the id")
    if not found and not (wanted.isupper() and wanted.isalnum()):
        raise Refused(f"there is no channel {channel!r}: `athenaeum channels list` shows those that are known")
    return found[0] if found else ChannelId(wanted)


def _told(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, tuple | list) else str(value)
