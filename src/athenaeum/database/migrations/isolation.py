"""Row-level security in the words of a migration."""

from __future__ import annotations

from alembic import op

from athenaeum.database.roles import APP, ENGINE


def isolate(table: str, *, privileges: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Hold a table with a `tenant_id` column to the tenant of the session; the engine's role sees none of it."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} TO {APP}"
        " USING (tenant_id = (SELECT athenaeum_tenant())) WITH CHECK (tenant_id = (SELECT athenaeum_tenant()))"
    )
    op.execute(f"GRANT {privileges} ON {table} TO {APP}")


def open_to_engine(table: str, *, privileges: str) -> None:
    """Let the engine's role work on a table of the queue or the register across tenants."""
    op.execute(f"CREATE POLICY engine ON {table} TO {ENGINE} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT {privileges} ON {table} TO {ENGINE}")
