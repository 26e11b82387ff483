"""Installations of the Slack app: their tokens, the way to them, and the way out."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate
from athenaeum.database.migrations.statements import run_file
from athenaeum.database.roles import APP

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("ALTER TABLE tenants ADD COLUMN disabled_at timestamptz, ADD COLUMN disabled_because text")
    op.execute(
        "CREATE UNIQUE INDEX tenants_organisation ON tenants (slack_enterprise_id)"
        " WHERE slack_team_id IS NULL AND slack_enterprise_id IS NOT NULL"
    )
    op.execute("""
        CREATE TABLE installations (
            tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
            bot_token bytea NOT NULL,
            refresh_token bytea,
            expires_at timestamptz,
            scopes text[] NOT NULL DEFAULT '{}',
            installed_by text,
            installed_at timestamptz NOT NULL DEFAULT now(),
            renewed_at timestamptz NOT NULL DEFAULT now()
        )""")
    op.execute("COMMENT ON COLUMN installations.bot_token IS 'encrypted by ATHENAEUM_SECRET_KEY, like refresh_token'")
    op.execute("COMMENT ON COLUMN installations.expires_at IS 'null: the token is not rotated'")
    isolate("installations")
    op.execute("""
        CREATE TABLE oauth_states (
            state bytea PRIMARY KEY,
            browser bytea NOT NULL,
            expires_at timestamptz NOT NULL
        )""")
    op.execute("COMMENT ON TABLE oauth_states IS 'digests of what a browser that installs the app must bring back'")
    op.execute("CREATE INDEX oauth_states_age ON oauth_states (expires_at)")
    op.execute("ALTER TABLE oauth_states ENABLE ROW LEVEL SECURITY")
    op.execute("""
        ALTER TABLE personas
            ADD COLUMN user_id text NOT NULL DEFAULT '',
            ADD COLUMN tools text[],
            ADD COLUMN system_template text,
            ADD COLUMN context_template text,
            DROP CONSTRAINT personas_pkey,
            ADD PRIMARY KEY (tenant_id, channel_id, user_id)""")
    op.execute("COMMENT ON COLUMN personas.user_id IS 'empty: everybody''s'")
    op.execute("COMMENT ON COLUMN personas.tools IS 'null: all tools; names of those that are allowed otherwise'")
    run_file("0012_installations.sql")
    # one look at the register a statement; a message of a workspace that is gone is found by nobody
    op.execute(
        f"CREATE POLICY served ON passages AS RESTRICTIVE FOR SELECT TO {APP}"
        " USING (origin = 'document' OR (SELECT tenant_served()))"
    )


def downgrade() -> None:
    op.execute("DROP POLICY served ON passages")
    op.execute("DROP FUNCTION tenant_served, tenant_disable, tenant_purge, oauth_begin, oauth_end")
    op.execute("DELETE FROM personas WHERE user_id <> ''")
    op.execute("""
        ALTER TABLE personas
            DROP CONSTRAINT personas_pkey,
            ADD PRIMARY KEY (tenant_id, channel_id),
            DROP COLUMN user_id, DROP COLUMN tools, DROP COLUMN system_template, DROP COLUMN context_template""")
    op.execute("DROP TABLE oauth_states, installations")
    op.execute("DROP INDEX tenants_organisation")
    op.execute("ALTER TABLE tenants DROP COLUMN disabled_at, DROP COLUMN disabled_because")
