"""What made a step, changes that are begun once, and approvals that a turn waits for."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0007"
down_revision = "0006"

_STATES = "'waiting', 'working', {}'answered', 'delivered', 'failed', 'cancelled'"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE steps
            ALTER COLUMN result TYPE json USING result::json,
            ALTER COLUMN result DROP NOT NULL,
            ADD COLUMN inputs text NOT NULL DEFAULT '',
            ADD COLUMN once boolean NOT NULL DEFAULT false,
            ADD COLUMN prompts text NOT NULL DEFAULT '',
            ADD COLUMN tools text NOT NULL DEFAULT '',
            ADD COLUMN model text""")
    op.execute(
        "COMMENT ON COLUMN steps.result IS 'as text, since a replay sends the same bytes; NULL: begun, not done'"
    )
    op.execute(
        "COMMENT ON COLUMN steps.inputs IS 'fingerprint of what the step was made from; empty: before revision 7'"
    )
    _hold_states("'parked', ")
    op.execute("""
        CREATE TABLE approvals (
            tenant_id uuid NOT NULL,
            approval_id uuid NOT NULL,
            turn_id uuid NOT NULL,
            calls json NOT NULL,
            asked_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL,
            decision text CHECK (decision IN ('approved', 'denied', 'expired', 'superseded')),
            decided_by text,
            decided_at timestamptz,
            PRIMARY KEY (tenant_id, approval_id),
            FOREIGN KEY (tenant_id, turn_id) REFERENCES turns ON DELETE CASCADE,
            CHECK ((decision IS NULL) = (decided_at IS NULL))
        )""")
    op.execute("COMMENT ON TABLE approvals IS 'calls of tools that a turn waits for a person''s word on; decided once'")
    op.execute("CREATE INDEX approvals_turn ON approvals (tenant_id, turn_id)")
    op.execute("CREATE INDEX approvals_open ON approvals (tenant_id, expires_at) WHERE decision IS NULL")
    isolate("approvals")


def downgrade() -> None:
    op.execute("DROP TABLE approvals")
    op.execute("UPDATE turns SET state = 'working' WHERE state = 'parked'")
    _hold_states("")
    op.execute("DELETE FROM steps WHERE result IS NULL")
    op.execute("""
        ALTER TABLE steps
            DROP COLUMN model, DROP COLUMN tools, DROP COLUMN prompts, DROP COLUMN once, DROP COLUMN inputs,
            ALTER COLUMN result SET NOT NULL,
            ALTER COLUMN result TYPE jsonb USING result::jsonb""")
    op.execute("COMMENT ON COLUMN steps.result IS NULL")


def _hold_states(more: str) -> None:
    op.execute("ALTER TABLE turns DROP CONSTRAINT turns_state_check")
    op.execute(f"ALTER TABLE turns ADD CONSTRAINT turns_state_check CHECK (state IN ({_STATES.format(more)}))")
