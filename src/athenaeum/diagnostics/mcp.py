"""Whether the MCP servers answer, and their tools are what was approved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.diagnostics.finding import Finding, fault, ok, warning
from athenaeum.errors import Misconfigured
from athenaeum.tools.mcp.definition import UNFIT, Approval
from athenaeum.wiring.mcp import servers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from athenaeum.config import Config
    from athenaeum.tools.mcp.definition import Reviewed
    from athenaeum.tools.mcp.settings import ServerSettings

SUBJECT = "mcp"


async def look(config: Config) -> list[Finding]:
    """Connect to each server at once; nothing is said where none is named."""
    try:
        named = {name: server for name, server in servers(config).items() if not server.disabled}
    except Misconfigured as error:
        return [fault(SUBJECT, line, "mend the file: docs/guides/mcp.md") for line in str(error).splitlines()]
    if not named:
        return []
    from athenaeum.tools.mcp.visit import visit_all  # noqa: PLC0415 - mcp takes a second, and few have servers

    return [_judge(name, named[name], seen) for name, seen in (await visit_all(named)).items()]


def _judge(name: str, server: ServerSettings, seen: Sequence[Reviewed] | str) -> Finding:
    if isinstance(seen, str):
        mend = "start it, mend its url, headers or command, or set it to disabled: the agent answers without it"
        return fault(SUBJECT, f"{name}: {seen}", mend)
    approved = sum(one.approval is Approval.APPROVED for one in seen)
    unfit = [f"{one.tool} ({one.approval.value})" for one in seen if one.approval in UNFIT and one.tool in server.tools]
    look = f"look at them with athenaeum mcp tools {name}"
    if unfit:
        return warning(
            SUBJECT, f"{name}: not offered any more: {', '.join(unfit)}", f"{look}, and put the new lines in"
        )
    if not approved:
        return warning(SUBJECT, f"{name}: none of its {len(seen)} tools is approved", look)
    return ok(SUBJECT, f"{name}: tools that are offered: {approved} of {len(seen)}")
