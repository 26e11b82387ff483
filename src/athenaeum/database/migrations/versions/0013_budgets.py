"""What may be spent on models, what was, and how many questions a person may ask."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE budgets (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            scope text NOT NULL CHECK (scope IN ('tenant', 'channel', 'user')),
            subject text NOT NULL DEFAULT '',
            dollars numeric NOT NULL CHECK (dollars >= 0),
            PRIMARY KEY (tenant_id, scope, subject),
            CHECK (scope <> 'tenant' OR subject = '')
        )""")
    op.execute("COMMENT ON TABLE budgets IS 'US dollars that may be spent on models in a day of UTC'")
    op.execute(
        "COMMENT ON COLUMN budgets.subject IS 'a channel''s or user''s id; empty: each that has no budget of its own'"
    )
    # No reference to the turn: what was paid stays paid when the turn is removed.
    op.execute("""
        CREATE TABLE spending (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            request_id uuid NOT NULL,
            turn_id uuid NOT NULL,
            channel_id text NOT NULL,
            user_id text NOT NULL,
            day date NOT NULL,
            model text NOT NULL,
            input_tokens bigint NOT NULL DEFAULT 0,
            cache_read_tokens bigint NOT NULL DEFAULT 0,
            cache_write_tokens bigint NOT NULL DEFAULT 0,
            output_tokens bigint NOT NULL DEFAULT 0,
            dollars numeric,
            settled_at timestamptz,
            PRIMARY KEY (tenant_id, request_id)
        )""")
    op.execute("COMMENT ON TABLE spending IS 'one row a model request, from before it is made'")
    op.execute("COMMENT ON COLUMN spending.dollars IS 'an estimate until it is settled; NULL: the price is not known'")
    op.execute("COMMENT ON COLUMN spending.settled_at IS 'NULL: under way, or its end was never heard of'")
    op.execute("CREATE INDEX spending_day ON spending (tenant_id, day)")
    op.execute("""
        CREATE TABLE user_limits (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            user_id text NOT NULL,
            full_at timestamptz NOT NULL,
            wait interval NOT NULL,
            PRIMARY KEY (tenant_id, user_id)
        ) WITH (fillfactor = 50)""")
    op.execute("COMMENT ON TABLE user_limits IS 'a token bucket for each person, like those of channel_limits'")
    isolate("budgets")
    isolate("spending")
    isolate("user_limits", privileges="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.execute("DROP TABLE user_limits, spending, budgets")
