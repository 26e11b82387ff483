"""Who is spoken to: engaged threads, messages that share a turn, and what a channel asks without asking."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE threads (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL,
            thread_ts text NOT NULL,
            since_ts text NOT NULL,
            engaged_until timestamptz NOT NULL,
            muted boolean NOT NULL DEFAULT false,
            forgotten_ts text,
            PRIMARY KEY (tenant_id, channel_id, thread_ts)
        )""")
    op.execute("COMMENT ON COLUMN threads.since_ts IS 'the message that engaged the bot; earlier ones are not for it'")
    op.execute("COMMENT ON COLUMN threads.forgotten_ts IS 'the bot goes on without what was said before this message'")
    op.execute("""
        CREATE TABLE turn_messages (
            tenant_id uuid NOT NULL,
            channel_id text NOT NULL,
            message_ts text NOT NULL,
            turn_id uuid NOT NULL,
            words text NOT NULL,
            PRIMARY KEY (tenant_id, channel_id, message_ts),
            FOREIGN KEY (tenant_id, turn_id) REFERENCES turns ON DELETE CASCADE
        )""")
    op.execute("COMMENT ON TABLE turn_messages IS 'the messages of turns that were asked in several'")
    op.execute("CREATE INDEX turn_messages_turn ON turn_messages (tenant_id, turn_id)")
    op.execute("CREATE INDEX turns_thread ON turns (tenant_id, channel_id, thread_ts)")
    op.execute("ALTER TABLE turns ADD COLUMN whispered boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN turns.whispered IS 'nobody asked: the answer is shown to the writer alone'")
    op.execute("ALTER TABLE slack_users ADD COLUMN is_admin boolean NOT NULL DEFAULT false")
    op.execute("""
        CREATE TABLE channel_modes (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL,
            mode text NOT NULL CHECK (mode IN ('mentions', 'questions', 'all', 'suggest')),
            cap integer NOT NULL CHECK (cap > 0),
            counted_on date NOT NULL DEFAULT current_date,
            answered integer NOT NULL DEFAULT 0,
            PRIMARY KEY (tenant_id, channel_id)
        )""")
    op.execute("COMMENT ON COLUMN channel_modes.cap IS 'answers a day (UTC) that nobody asked for by mention'")
    for table in ("threads", "turn_messages", "channel_modes"):
        isolate(table)


def downgrade() -> None:
    op.execute("DROP TABLE threads, turn_messages, channel_modes")
    op.execute("DROP INDEX turns_thread")
    op.execute("ALTER TABLE turns DROP COLUMN whispered")
    op.execute("ALTER TABLE slack_users DROP COLUMN is_admin")
