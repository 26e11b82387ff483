"""How many questions a channel may ask: a token bucket each."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE channel_limits (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL,
            full_at timestamptz NOT NULL,
            wait interval NOT NULL,
            PRIMARY KEY (tenant_id, channel_id)
        ) WITH (fillfactor = 50)""")
    op.execute("COMMENT ON COLUMN channel_limits.full_at IS 'when the bucket is full again if nobody takes from it'")
    op.execute("COMMENT ON COLUMN channel_limits.wait IS 'what the latest question was told; zero: it was let through'")
    isolate("channel_limits", privileges="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.execute("DROP TABLE channel_limits")
