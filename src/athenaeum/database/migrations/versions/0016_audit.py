"""The audit log, and documents that strangers may read."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate, open_to_engine
from athenaeum.database.migrations.statements import run_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # No foreign key: what was done to a tenant outlives it.
    op.execute("""
        CREATE TABLE audit_log (
            tenant_id uuid NOT NULL,
            seq bigint NOT NULL,
            recorded_at timestamptz NOT NULL,
            action text NOT NULL,
            actor text NOT NULL,
            subject text NOT NULL,
            detail jsonb NOT NULL,
            hash bytea NOT NULL,
            PRIMARY KEY (tenant_id, seq)
        )""")
    op.execute(
        "COMMENT ON COLUMN audit_log.hash IS 'SHA-256 of the entry before and of this one; empty before the first'"
    )
    op.execute("""
        CREATE TABLE audit_heads (
            tenant_id uuid PRIMARY KEY,
            seq bigint NOT NULL,
            hash bytea NOT NULL
        )""")
    op.execute("COMMENT ON TABLE audit_heads IS 'the newest entry of each log: one that was cut off is missed'")
    isolate("audit_log", privileges="SELECT, INSERT")
    isolate("audit_heads", privileges="SELECT")
    open_to_engine("audit_log", privileges="INSERT")
    run_file("0016_audit.sql")
    op.execute("ALTER TABLE document_sources ADD COLUMN is_open boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN document_sources.is_open IS 'guests and other organisations may read it too'")


def downgrade() -> None:
    op.execute("ALTER TABLE document_sources DROP COLUMN is_open")
    op.execute("DROP TABLE audit_log, audit_heads")
    op.execute("DROP FUNCTION audit_chain, audit_keep")
