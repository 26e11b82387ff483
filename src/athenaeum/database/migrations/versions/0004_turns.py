"""Turns, what they show, and the journal of their steps."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE turns (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            turn_id uuid NOT NULL,
            surface text NOT NULL CHECK (surface IN ('slack', 'terminal')),
            channel_id text NOT NULL,
            message_ts text NOT NULL,
            thread_ts text NOT NULL,
            asker_id text NOT NULL,
            question text NOT NULL,
            state text NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'working', 'answered', 'delivered', 'failed', 'cancelled')),
            event_id bigint,
            fence bigint NOT NULL DEFAULT 0,
            attempt integer NOT NULL DEFAULT 0,
            answer jsonb,
            error text,
            created_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            answered_at timestamptz,
            finished_at timestamptz,
            PRIMARY KEY (tenant_id, turn_id),
            UNIQUE (tenant_id, channel_id, message_ts)
        )""")
    op.execute(
        "COMMENT ON COLUMN turns.fence IS 'newest lease token that took this turn; every visible write checks it'"
    )
    op.execute("CREATE INDEX turns_open ON turns (tenant_id, created_at) WHERE finished_at IS NULL")
    op.execute("""
        CREATE TABLE deliveries (
            tenant_id uuid NOT NULL,
            turn_id uuid NOT NULL,
            part integer NOT NULL,
            generation integer NOT NULL DEFAULT 0,
            attempts integer NOT NULL DEFAULT 0,
            poster uuid,
            posting_until timestamptz,
            ts text,
            created_at timestamptz NOT NULL DEFAULT now(),
            posted_at timestamptz,
            PRIMARY KEY (tenant_id, turn_id, part),
            FOREIGN KEY (tenant_id, turn_id) REFERENCES turns ON DELETE CASCADE
        )""")
    op.execute("COMMENT ON TABLE deliveries IS 'one row a visible message: the intent before the post, its ts after'")
    op.execute("""
        CREATE TABLE steps (
            tenant_id uuid NOT NULL,
            turn_id uuid NOT NULL,
            name text NOT NULL,
            seq integer NOT NULL,
            result jsonb NOT NULL,
            fence bigint NOT NULL,
            finished_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, turn_id, name, seq),
            FOREIGN KEY (tenant_id, turn_id) REFERENCES turns ON DELETE CASCADE
        )""")
    for table in ("turns", "deliveries", "steps"):
        isolate(table)


def downgrade() -> None:
    op.execute("DROP TABLE steps, deliveries, turns")
