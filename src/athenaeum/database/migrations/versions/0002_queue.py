"""The event queue; its tables and functions are in the SQL files beside this one."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate, open_to_engine
from athenaeum.database.migrations.statements import run_file
from athenaeum.database.roles import APP, ENGINE

revision = "0002"
down_revision = "0001"

# UPDATE of the tenant's column alone, which the policy holds to its value: the right to lock a row, not to change it.
_ENQUEUE = "SELECT, INSERT, UPDATE (tenant_id)"


def upgrade() -> None:
    run_file("0002_queue.sql")
    run_file("0002_queue_functions.sql")
    for table, enqueuer, engine in (
        ("queued_events", _ENQUEUE, "SELECT, INSERT, UPDATE, DELETE"),
        ("event_keys", "SELECT, INSERT", "SELECT, INSERT, DELETE"),
        ("failed_events", "SELECT", "SELECT, INSERT, DELETE"),
        ("finished_events", "SELECT", "SELECT, INSERT"),
    ):
        isolate(table, privileges=enqueuer)
        open_to_engine(table, privileges=engine)
    op.execute(f"GRANT SELECT ON events TO {APP}, {ENGINE}")
    op.execute(f"GRANT USAGE ON SEQUENCE event_ids TO {APP}, {ENGINE}")
    op.execute(f"GRANT USAGE ON SEQUENCE lease_tokens TO {ENGINE}")
    op.execute("REVOKE EXECUTE ON FUNCTION events_upkeep FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION events_upkeep TO {ENGINE}")
    op.execute("SELECT events_upkeep(interval '30 days', interval '2 days')")


def downgrade() -> None:
    op.execute("""
        DROP FUNCTION events_upkeep, events_revive, events_rescue, events_extend, events_release_unknown,
            events_release, events_fail, events_retry, events_complete_one, events_complete, events_promote,
            events_claim, events_enqueue, events_place, events_announce""")
    op.execute("DROP VIEW events")
    op.execute("DROP TABLE queued_events, event_keys, failed_events, finished_events")
    op.execute("DROP SEQUENCE event_ids, lease_tokens")
