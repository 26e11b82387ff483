"""The raw log of what Slack told, and what the archive needs to be the same in every order of arrival."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate
from athenaeum.database.migrations.statements import run_file

revision = "0010"
down_revision = "0009"

_TABLES = ("slack_events", "slack_message_versions", "slack_moves", "slack_channel_moves")


def upgrade() -> None:
    run_file("0010_event_log.sql")
    for table in _TABLES:
        isolate(table)


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(_TABLES)}")
    op.execute("ALTER TABLE slack_users DROP COLUMN changed_at")
    op.execute("ALTER TABLE slack_channels DROP COLUMN name_changed_at, DROP COLUMN archive_changed_at")
    op.execute("DELETE FROM slack_reactions WHERE removed_at >= added_at OR added_at IS NULL")
    op.execute("ALTER TABLE slack_reactions DROP COLUMN added_at, DROP COLUMN removed_at")
    op.execute("DROP TRIGGER keep_version ON slack_messages")
    op.execute("DROP FUNCTION slack_messages_keep_version")
    op.execute("ALTER TABLE slack_messages DROP COLUMN changed_at")
