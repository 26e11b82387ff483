"""Fair shares, limits, cancelling and periodic work; the queue's functions are in the SQL file beside this one."""

from __future__ import annotations

from athenaeum.database.migrations.isolation import isolate, open_to_engine
from athenaeum.database.migrations.statements import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_file("0006_queue_strength.sql")
    isolate("event_limits", privileges="SELECT")
    open_to_engine("event_limits", privileges="SELECT, INSERT, UPDATE, DELETE")
    isolate("event_schedules")
    open_to_engine("event_schedules", privileges="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    run_file("0006_queue_strength_down.sql")
    run_file("0002_queue_functions.sql")
