"""Whether the bot token was granted what Athenaeum does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.diagnostics.finding import Finding, fault, ok, warning
from athenaeum.slack.manifest import required_scopes

if TYPE_CHECKING:
    from athenaeum.slack.identity import Identity

SUBJECT = "scopes"
MEND = "update the app with `athenaeum slack manifest` and install it again"


def look(identity: Identity) -> Finding:
    """Compare the granted scopes with the manifest's."""
    if not identity.scopes:
        return warning(SUBJECT, "Slack did not tell the granted scopes", MEND)
    if missing := required_scopes() - identity.scopes:
        return fault(SUBJECT, f"not granted: {', '.join(sorted(missing))}", MEND)
    return ok(SUBJECT, f"all {len(required_scopes())} granted")
