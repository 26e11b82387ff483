"""The archive of a Slack workspace: people, channels, members, messages, reactions."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0003"
down_revision = "0002"

# TimescaleDB cannot enforce a unique key without its partition column: hence `sent_at` in the key,
# computed from `ts` and so never different for the same message.
_MESSAGES = """
CREATE TABLE slack_messages (
    tenant_id uuid NOT NULL,
    channel_id text NOT NULL,
    ts text NOT NULL,
    sent_at timestamptz NOT NULL,
    thread_ts text,
    user_id text,
    bot_id text,
    subtype text,
    text text NOT NULL,
    edited_at timestamptz,
    deleted_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',
    indexed_at timestamptz,
    PRIMARY KEY (tenant_id, channel_id, ts, sent_at)
)"""
_HYPERTABLE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('slack_messages', 'sent_at', chunk_time_interval => interval '7 days');
    END IF;
END $$
"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE slack_users (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            user_id text NOT NULL,
            name text NOT NULL,
            real_name text NOT NULL DEFAULT '',
            is_bot boolean NOT NULL DEFAULT false,
            is_guest boolean NOT NULL DEFAULT false,
            is_deleted boolean NOT NULL DEFAULT false,
            metadata jsonb NOT NULL DEFAULT '{}',
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, user_id)
        )""")
    op.execute("""
        CREATE TABLE slack_channels (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL,
            name text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('public', 'private', 'im', 'mpim')),
            topic text NOT NULL DEFAULT '',
            is_archived boolean NOT NULL DEFAULT false,
            is_shared boolean NOT NULL DEFAULT false,
            members_read_at timestamptz,
            history_read_to text,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, channel_id)
        )""")
    op.execute("COMMENT ON COLUMN slack_channels.members_read_at IS 'null: membership unknown, so nobody may read'")
    op.execute("""
        CREATE TABLE slack_members (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL,
            user_id text NOT NULL,
            PRIMARY KEY (tenant_id, channel_id, user_id)
        )""")
    op.execute("CREATE INDEX slack_members_by_user ON slack_members (tenant_id, user_id)")
    op.execute(_MESSAGES)
    op.execute("CREATE INDEX slack_messages_thread ON slack_messages (tenant_id, channel_id, thread_ts, sent_at)")
    op.execute("CREATE INDEX slack_messages_recent ON slack_messages (tenant_id, channel_id, sent_at)")
    op.execute("CREATE INDEX slack_messages_unindexed ON slack_messages (tenant_id, sent_at) WHERE indexed_at IS NULL")
    op.execute(_HYPERTABLE)
    op.execute("""
        CREATE TABLE slack_reactions (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL,
            ts text NOT NULL,
            user_id text NOT NULL,
            name text NOT NULL,
            PRIMARY KEY (tenant_id, channel_id, ts, user_id, name)
        )""")
    for table in ("slack_users", "slack_channels", "slack_members", "slack_messages", "slack_reactions"):
        isolate(table)


def downgrade() -> None:
    op.execute("DROP TABLE slack_reactions, slack_messages, slack_members, slack_channels, slack_users")
