"""Alembic's entrance: runs on the connection that `athenaeum.database.revisions` hands in."""

from __future__ import annotations

from alembic import context

from athenaeum.database.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
