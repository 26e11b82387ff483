"""Tokens by which people's own clients read what the people may read."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE access_tokens (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            token_id uuid NOT NULL,
            user_id text NOT NULL,
            server text NOT NULL,
            issued_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL,
            revoked_at timestamptz,
            PRIMARY KEY (tenant_id, token_id)
        )""")
    op.execute("COMMENT ON TABLE access_tokens IS 'which tokens were issued for our MCP servers; not the tokens'")
    op.execute("COMMENT ON COLUMN access_tokens.server IS 'the one server that it is for'")
    op.execute("COMMENT ON COLUMN access_tokens.revoked_at IS 'when it was taken back before its end'")
    isolate("access_tokens")


def downgrade() -> None:
    op.execute("DROP TABLE access_tokens")
