"""What people say of answers, and who stopped one."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0015"
down_revision = "0014"

_STATES = "'waiting', 'working', 'parked', 'answered', 'delivered', 'failed', 'cancelled'"


def upgrade() -> None:
    op.execute("ALTER TABLE turns ADD COLUMN stopped_by text")
    op.execute("ALTER TABLE turns ADD COLUMN repeats integer NOT NULL DEFAULT 0")
    op.execute("COMMENT ON COLUMN turns.repeats IS 'how often its asker had it tried again'")
    op.execute("COMMENT ON COLUMN turns.stopped_by IS 'who stopped the turn: its answer says so'")
    _allow(f"{_STATES}, 'stopped'")
    op.execute("""
        CREATE TABLE feedback (
            tenant_id uuid NOT NULL,
            turn_id uuid NOT NULL,
            user_id text NOT NULL,
            verdict text NOT NULL CHECK (verdict IN ('up', 'down')),
            given_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, turn_id, user_id),
            FOREIGN KEY (tenant_id, turn_id) REFERENCES turns ON DELETE CASCADE
        )""")
    op.execute("CREATE INDEX feedback_newest ON feedback (tenant_id, given_at DESC)")
    isolate("feedback")


def downgrade() -> None:
    op.execute("DROP TABLE feedback")
    op.execute("UPDATE turns SET state = 'cancelled' WHERE state = 'stopped'")
    _allow(_STATES)
    op.execute("ALTER TABLE turns DROP COLUMN stopped_by, DROP COLUMN repeats")


def _allow(states: str) -> None:
    op.execute("ALTER TABLE turns DROP CONSTRAINT turns_state_check")
    op.execute(f"ALTER TABLE turns ADD CONSTRAINT turns_state_check CHECK (state IN ({states}))")
