"""Digests and reminders, and the time zones that people live in."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute("ALTER TABLE slack_users ADD COLUMN time_zone text NOT NULL DEFAULT ''")
    op.execute("COMMENT ON COLUMN slack_users.time_zone IS 'as IANA calls it; empty: Slack did not say'")
    op.execute("""
        CREATE TABLE appointments (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            appointment_id uuid NOT NULL,
            number bigint GENERATED ALWAYS AS IDENTITY,
            kind text NOT NULL CHECK (kind IN ('digest', 'reminder')),
            channel_id text NOT NULL,
            thread_ts text,
            owner_id text NOT NULL,
            words text NOT NULL,
            weekdays smallint[],
            at time,
            time_zone text NOT NULL,
            since timestamptz,
            next_at timestamptz NOT NULL,
            made_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, appointment_id),
            CHECK ((kind = 'digest') = (thread_ts IS NULL)),
            CHECK ((weekdays IS NULL) = (at IS NULL))
        )""")
    op.execute("COMMENT ON COLUMN appointments.appointment_id IS 'that of the turn that made it'")
    op.execute("COMMENT ON COLUMN appointments.weekdays IS 'Monday is 0, by the clock of its time zone; null: once'")
    op.execute("COMMENT ON COLUMN appointments.since IS 'where the last digest ended'")
    op.execute("CREATE UNIQUE INDEX appointments_digest ON appointments (tenant_id, channel_id) WHERE kind = 'digest'")
    isolate("appointments")
    op.execute("ALTER TABLE turns ADD COLUMN appointment_id uuid")
    op.execute("ALTER TABLE turns ADD COLUMN occasion text CHECK (occasion IN ('digest', 'reminder'))")
    op.execute("ALTER TABLE turns ADD COLUMN since timestamptz")
    op.execute("COMMENT ON COLUMN turns.occasion IS 'what opened the turn; null: a message of its asker'")
    op.execute("COMMENT ON COLUMN turns.since IS 'where the period of a digest begins; it ends with message_ts'")


def downgrade() -> None:
    op.execute("ALTER TABLE turns DROP COLUMN appointment_id, DROP COLUMN occasion, DROP COLUMN since")
    op.execute("DROP TABLE appointments")
    op.execute("ALTER TABLE slack_users DROP COLUMN time_zone")
