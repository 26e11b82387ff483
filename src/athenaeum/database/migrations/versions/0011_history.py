"""What import, backfill and gap repair remember."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE slack_channels ADD COLUMN history_read_at timestamptz")
    op.execute("COMMENT ON COLUMN slack_channels.history_read_at IS 'when its history was last read to its end'")
    op.execute("""
        CREATE TABLE slack_import_files (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL,
            file text NOT NULL,
            stamp text NOT NULL,
            messages integer NOT NULL,
            PRIMARY KEY (tenant_id, channel_id, file)
        )""")
    op.execute("COMMENT ON COLUMN slack_import_files.stamp IS 'while it is the same, the file is not read again'")
    op.execute("""
        CREATE TABLE slack_quarantine (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            file text NOT NULL,
            position integer NOT NULL,
            reason text NOT NULL,
            record bytea NOT NULL,
            PRIMARY KEY (tenant_id, file, position)
        )""")
    op.execute("COMMENT ON TABLE slack_quarantine IS 'what an export held and could not be taken as it was'")
    op.execute("COMMENT ON COLUMN slack_quarantine.position IS 'in the file''s list, from 0'")
    op.execute("""
        CREATE TABLE slack_backfills (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL,
            thread_ts text NOT NULL DEFAULT '',
            reached text,
            finished_at timestamptz,
            PRIMARY KEY (tenant_id, channel_id, thread_ts)
        )""")
    op.execute("COMMENT ON COLUMN slack_backfills.thread_ts IS 'empty: the channel itself, read from the newest down'")
    op.execute("COMMENT ON COLUMN slack_backfills.reached IS 'the last message that was stored'")
    for table in ("slack_import_files", "slack_quarantine", "slack_backfills"):
        isolate(table)


def downgrade() -> None:
    op.execute("DROP TABLE slack_backfills, slack_quarantine, slack_import_files")
    op.execute("ALTER TABLE slack_channels DROP COLUMN history_read_at")
