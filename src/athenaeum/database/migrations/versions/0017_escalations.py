"""People who are asked to help, and why an answer was of no help."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("ALTER TABLE feedback ADD COLUMN reason text")
    op.execute("ALTER TABLE feedback ADD COLUMN explained_at timestamptz")
    op.execute("COMMENT ON COLUMN feedback.reason IS 'what was wrong, in the person''s own words'")
    op.execute("COMMENT ON COLUMN feedback.explained_at IS 'when they gave the word that the reason is for'")
    op.execute("""
        CREATE TABLE helpers (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL DEFAULT '',
            helper text NOT NULL CHECK (helper ~ '^[SUW][A-Z0-9]+$'),
            PRIMARY KEY (tenant_id, channel_id)
        )""")
    op.execute("COMMENT ON TABLE helpers IS 'who is called when somebody asks for a human'")
    op.execute("COMMENT ON COLUMN helpers.channel_id IS 'empty: every channel that has nobody of its own'")
    op.execute("COMMENT ON COLUMN helpers.helper IS 'the id of a user group (S…) or of a person (U…, W…)'")
    op.execute("""
        CREATE TABLE escalations (
            tenant_id uuid NOT NULL,
            turn_id uuid NOT NULL,
            channel_id text NOT NULL,
            thread_ts text NOT NULL,
            helper text NOT NULL,
            asked_by text NOT NULL,
            asked_at timestamptz NOT NULL,
            resolved_by text,
            resolved_at timestamptz,
            PRIMARY KEY (tenant_id, turn_id),
            FOREIGN KEY (tenant_id, turn_id) REFERENCES turns ON DELETE CASCADE,
            CHECK ((resolved_by IS NULL) = (resolved_at IS NULL))
        )""")
    op.execute("COMMENT ON TABLE escalations IS 'calls for a human, from below an answer; of the text nothing is kept'")
    op.execute("""
        CREATE UNIQUE INDEX escalations_open ON escalations (tenant_id, channel_id, thread_ts)
        WHERE resolved_at IS NULL""")
    isolate("helpers")
    isolate("escalations", privileges="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.execute("DROP TABLE escalations, helpers")
    op.execute("ALTER TABLE feedback DROP COLUMN reason, DROP COLUMN explained_at")
