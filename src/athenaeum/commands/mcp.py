"""`athenaeum mcp`: other servers' tools, looked at and approved; and servers of our own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from athenaeum.commands import side_doors
from athenaeum.commands.console import AsJson, err, out, run, settings, show_json
from athenaeum.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from athenaeum.config import Config
    from athenaeum.tools.mcp.definition import Definition, Reviewed
    from athenaeum.tools.mcp.settings import ServerSettings

app = typer.Typer(
    no_args_is_help=True,
    help="Use the tools of other MCP servers, and serve what people may read to agents of theirs."
    "\n\nExample: athenaeum mcp tools github",
)
for serving in (side_doors.slack, side_doors.docs, side_doors.token, side_doors.tokens, side_doors.revoke):
    app.command()(serving)

_STYLES = {"approved": "green", "new": "yellow"}


@app.command()
def tools(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Only this server.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the tools of each server, whether they are approved, and the lines that approve them.

    Example: athenaeum mcp tools github
    """
    config = settings()
    seen = run(_visit(config, name))
    if as_json:
        show_json([_row(server, found) for server, (_, found) in seen.items()])
    else:
        for server, (named, found) in seen.items():
            _print(config, server, named, found)
    if any(isinstance(found, str) for _, found in seen.values()):
        raise typer.Exit(1)


async def _visit(config: Config, name: str | None) -> dict[str, tuple[ServerSettings, list[Reviewed] | str]]:
    from athenaeum.tools.mcp.settings import VARIABLE
    from athenaeum.wiring.mcp import servers

    if config.mcp_config is None:
        raise Misconfigured(f"{VARIABLE} is not set: docs/guides/mcp.md tells what it names")
    named = servers(config)
    if name is not None and name not in named:
        raise Refused(f"there is no server {name!r}: there are {', '.join(sorted(named)) or 'none'}")
    chosen = {known: server for known, server in named.items() if name in {None, known}}
    from athenaeum.tools.mcp.visit import visit_all

    with err.status("Asking…"):
        seen = await visit_all(chosen, is_heard=name is not None)
    return {known: (server, seen[known]) for known, server in chosen.items()}


def _print(config: Config, name: str, server: ServerSettings, found: Sequence[Reviewed] | str) -> None:
    out.print(Text(f"{name}{' (disabled)' if server.disabled else ''}", "bold"))
    if isinstance(found, str):
        out.print(Text(f"  {_apparent(found)}\n", "bold red"))
        return
    for one in found:
        approval = Text(f"  {one.approval.value:<10}", _STYLES.get(one.approval.value, "red"))
        out.print(approval.append(_apparent(one.tool), "bold"))
        for line in _read_of(one.definition) if one.definition else ():
            out.print(Text(f"            {line}"), soft_wrap=True)
    lines = [f"  {json.dumps(one.tool)}: {json.dumps(_listed(one, server))}" for one in found if one.definition]
    out.print(f"\nApprove what you have read by its line, in {config.mcp_config}, under {name}, tools:\n", markup=False)
    out.print(",\n".join(lines), markup=False, soft_wrap=True)
    out.print()


def _read_of(definition: Definition) -> list[str]:
    """All that a model would be told of a tool, which is all that its fingerprint is of."""
    lines = [_apparent(line) for line in definition.description.strip().splitlines()]
    lines.append(f"takes {json.dumps(definition.parameters)}")  # in ASCII, where nothing hides either
    if definition.result is not None:
        lines.append(f"gives {json.dumps(definition.result)}")
    if definition.says_it_only_reads:
        lines.append("(says itself that it only reads)")
    return lines


def _listed(one: Reviewed, server: ServerSettings) -> Mapping[str, Any]:
    """The line of the file, with what the operator said of the tool before; of a new one, that it changes something."""
    assert one.definition is not None
    known = server.tools.get(one.tool)
    label = {"label": known.label} if known and known.label else {}
    return {"fingerprint": one.definition.fingerprint, "changes": known.changes if known else True, **label}


def _row(name: str, found: Sequence[Reviewed] | str) -> dict[str, Any]:
    from athenaeum.tools.mcp.settings import offered_name

    if isinstance(found, str):
        return {"server": name, "fault": found, "tools": []}
    tools = [
        {
            "tool": one.tool,
            "name": offered_name(name, one.tool),
            "approval": one.approval.value,
            "description": one.definition.description if one.definition else None,
            "parameters": one.definition.parameters if one.definition else None,
            "result": one.definition.result if one.definition else None,
            "fingerprint": one.definition.fingerprint if one.definition else None,
            "says_it_only_reads": one.definition.says_it_only_reads if one.definition else None,
        }
        for one in found
    ]
    return {"server": name, "fault": None, "tools": tools}


def _apparent(text: str) -> str:
    """The text with what cannot be seen written out: nothing hides from who approves it."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
