"""Declarative models of the tables that are read and written row by row.

The migrations are the truth; `tests/integration/database/test_models.py` holds these models to them.
"""

from __future__ import annotations

from athenaeum.database.models.archive import (
    ChannelMode,
    SlackChannel,
    SlackChannelMove,
    SlackEvent,
    SlackMember,
    SlackMessage,
    SlackMessageVersion,
    SlackMove,
    SlackReaction,
    SlackUser,
    Thread,
)
from athenaeum.database.models.base import Base
from athenaeum.database.models.turns import (
    Appointment,
    Approval,
    Command,
    Delivery,
    EscalationRow,
    Feedback,
    Step,
    Turn,
    TurnMessage,
)
from athenaeum.database.models.workspaces import (
    AccessTokenRow,
    AuditEntry,
    AuditHead,
    Budget,
    HelperRow,
    InstallationRow,
    PersonaRow,
    Tenant,
)

__all__ = [
    "AccessTokenRow",
    "Appointment",
    "Approval",
    "AuditEntry",
    "AuditHead",
    "Base",
    "Budget",
    "ChannelMode",
    "Command",
    "Delivery",
    "EscalationRow",
    "Feedback",
    "HelperRow",
    "InstallationRow",
    "PersonaRow",
    "SlackChannel",
    "SlackChannelMove",
    "SlackEvent",
    "SlackMember",
    "SlackMessage",
    "SlackMessageVersion",
    "SlackMove",
    "SlackReaction",
    "SlackUser",
    "Step",
    "Tenant",
    "Thread",
    "Turn",
    "TurnMessage",
]
