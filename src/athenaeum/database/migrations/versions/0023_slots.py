"""A passage has a slot in its block, and postings name that instead of its id: 5 bytes an entry instead of 12."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("ALTER TABLE passages ADD COLUMN slot smallint")
    op.execute("""
        UPDATE passages SET slot = numbered.slot
        FROM (SELECT tenant_id, passage_id,
                     row_number() OVER (PARTITION BY tenant_id, shelf, block ORDER BY passage_id) - 1 AS slot
              FROM passages) AS numbered
        WHERE (passages.tenant_id, passages.passage_id) = (numbered.tenant_id, numbered.passage_id)
        """)
    op.execute("ALTER TABLE passages ALTER COLUMN slot SET NOT NULL")
    op.execute("COMMENT ON COLUMN passages.slot IS 'which of the 1024 of its block it is; no other gets it later'")
    op.execute("CREATE UNIQUE INDEX passages_by_slot ON passages (tenant_id, shelf, block, slot)")
    op.execute(f"""
        UPDATE postings SET entries = (
            SELECT coalesce(string_agg(
                int2send(slot) || set_byte('\\x00', 0, least({_number("entries", 9, 2)}, 255)::integer)
                || substr(entries, at + 11, 2), '' ORDER BY at), '')
            FROM generate_series(0, length(entries) - 12, 12) AS at
            JOIN passages ON passages.tenant_id = postings.tenant_id
                AND passages.passage_id = {_number("entries", 1, 8)})
        """)
    op.execute("""
        COMMENT ON COLUMN postings.entries IS
            '5 bytes each, the greater first: its slot (2), how often it has the term (1), its length in terms (2)'
        """)


def downgrade() -> None:
    op.execute(f"""
        UPDATE postings SET entries = (
            SELECT coalesce(string_agg(
                int8send(passage_id) || '\\x00' || substr(entries, at + 3, 3), '' ORDER BY at), '')
            FROM generate_series(0, length(entries) - 5, 5) AS at
            JOIN passages ON (passages.tenant_id, passages.shelf, passages.block)
                = (postings.tenant_id, postings.shelf, postings.block) AND slot = {_number("entries", 1, 2)})
        """)
    op.execute("""
        COMMENT ON COLUMN postings.entries IS
            '12 bytes each, the greater first: passage_id (8), how often it has the term (2), its length in terms (2)'
        """)
    op.execute("ALTER TABLE passages DROP COLUMN slot")


def _number(column: str, start: int, size: int) -> str:
    """The bytes of an entry as a number."""
    return f"('x' || lpad(encode(substr({column}, at + {start}, {size}), 'hex'), 16, '0'))::bit(64)::bigint"
