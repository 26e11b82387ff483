"""What waits to be told to a person can be emptied when they have their data deleted."""

from __future__ import annotations

from alembic import op

from athenaeum.database.roles import APP

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.execute(f"GRANT UPDATE (payload) ON queued_events TO {APP}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (payload) ON queued_events FROM {APP}")
