"""Where messages are a hypertable, chunks older than 45 days are compressed; elsewhere nothing changes."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate
from athenaeum.database.migrations.statements import run_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    if _stored_by_timescale("slack_messages"):
        run_file("0021_columnstore.sql")


def downgrade() -> None:
    if _stored_by_timescale("slack_message_store"):
        run_file("0021_columnstore_down.sql")
        isolate("slack_messages")


def _stored_by_timescale(table: str) -> bool:
    """Whether it is a hypertable; its edition under the Apache licence compresses nothing, and leaves all as it is."""
    connection = op.get_bind()
    extension = "SELECT FROM pg_extension WHERE extname = 'timescaledb'"
    if not connection.exec_driver_sql(f"SELECT EXISTS ({extension})").scalar_one():
        return False
    hypertable = f"SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = '{table}'"
    return connection.exec_driver_sql(
        f"SELECT current_setting('timescaledb.license') = 'timescale' AND EXISTS ({hypertable})"
    ).scalar_one()
