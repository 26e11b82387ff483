"""What a broker was told of events; the table and its function are in the SQL file beside this one."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate, open_to_engine
from athenaeum.database.migrations.statements import run_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_file("0009_sending.sql")
    isolate("sent_events", privileges="SELECT")
    open_to_engine("sent_events", privileges="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    op.execute("DROP FUNCTION events_send")
    op.execute("DROP TABLE sent_events")
