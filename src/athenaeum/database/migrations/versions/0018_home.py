"""What a person asks about themselves: questions typed as commands, and what they have left here."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate
from athenaeum.database.roles import APP

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE commands (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            command_id text NOT NULL,
            user_id text NOT NULL,
            typed_in text NOT NULL,
            question text NOT NULL,
            asked_at timestamptz NOT NULL DEFAULT now(),
            turn_id uuid,
            place text,
            ts text,
            PRIMARY KEY (tenant_id, command_id)
        )""")
    op.execute("COMMENT ON TABLE commands IS 'questions typed as slash commands, which have no message of their own'")
    op.execute("COMMENT ON COLUMN commands.question IS 'empty once the turn has it'")
    op.execute("COMMENT ON COLUMN commands.ts IS 'our message in the direct message `place` that stands for theirs'")
    op.execute("CREATE INDEX commands_user ON commands (tenant_id, user_id)")
    isolate("commands")
    op.execute("CREATE INDEX turns_asker ON turns (tenant_id, asker_id, created_at)")
    # notices hold words for one person, which that person may have erased
    op.execute(f"GRANT UPDATE (payload) ON finished_events, failed_events TO {APP}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (payload) ON finished_events, failed_events FROM {APP}")
    op.execute("DROP INDEX turns_asker")
    op.execute("DROP TABLE commands")
