"""Roles, the tenant of a session, and the register of tenants and personas."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate, open_to_engine
from athenaeum.database.roles import APP, ENGINE
from athenaeum.domain.identity import DEFAULT_TENANT

revision = "0001"
down_revision = None

# Roles belong to the whole server: another database on it may have made them, or be making them now.
_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
_MEMBERSHIP = """
DO $$ BEGIN
    IF NOT pg_has_role(session_user, '{role}', 'SET') THEN
        GRANT {role} TO SESSION_USER WITH SET TRUE, INHERIT FALSE;
    END IF;
END $$
"""


def upgrade() -> None:
    op.execute("SELECT pg_advisory_xact_lock(hashtext('athenaeum roles'))")
    for role in (APP, ENGINE):
        op.execute(_ROLE.format(role=role))
        op.execute(_MEMBERSHIP.format(role=role))
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute(
        "CREATE FUNCTION athenaeum_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE"
        " AS $$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$"
    )
    op.execute("""
        CREATE TABLE tenants (
            tenant_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            name text NOT NULL,
            status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
            slack_team_id text UNIQUE,
            slack_enterprise_id text,
            slack_app_id text,
            slack_url text,
            bot_user_id text,
            bot_id text,
            company_name text NOT NULL DEFAULT '',
            domain_areas text[] NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now()
        )""")
    isolate("tenants", privileges="SELECT, UPDATE")
    open_to_engine("tenants", privileges="SELECT, INSERT, UPDATE")
    op.execute("""
        CREATE TABLE personas (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            channel_id text NOT NULL DEFAULT '',
            name text,
            role text,
            instructions text,
            model text,
            PRIMARY KEY (tenant_id, channel_id)
        )""")
    op.execute("COMMENT ON COLUMN personas.channel_id IS 'empty: the whole tenant''s'")
    isolate("personas")
    op.execute(f"INSERT INTO tenants (tenant_id, name) VALUES ('{DEFAULT_TENANT}', 'default')")


def downgrade() -> None:
    op.execute("DROP TABLE personas, tenants")
    op.execute("DROP FUNCTION athenaeum_tenant")
