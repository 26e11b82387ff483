"""Tenants whose workspace shows answers by Slack's own means for agents: status and streams."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("ALTER TABLE tenants ADD COLUMN native boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN tenants.native IS 'answers are shown by Slack''s own status and streams'")
    op.execute("""
        CREATE FUNCTION tenant_native() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT slack_team_id FROM tenants WHERE tenant_id = athenaeum_tenant() AND native
        $$""")
    op.execute("COMMENT ON FUNCTION tenant_native IS 'the workspace to stream to; null: nothing is streamed'")


def downgrade() -> None:
    op.execute("DROP FUNCTION tenant_native")
    op.execute("ALTER TABLE tenants DROP COLUMN native")
