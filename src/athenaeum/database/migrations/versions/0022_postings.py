"""A row of postings becomes one string of bytes, which whoever searches adds up outside the database."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION pg_temp.packed(bigint[], smallint[], smallint[]) RETURNS bytea
        LANGUAGE sql IMMUTABLE AS $$
            SELECT coalesce(string_agg(int8send(passage) || int2send(frequency) || int2send(length), ''), '')
            FROM unnest($1, $2, $3) AS entry (passage, frequency, length)
        $$""")
    op.execute("""
        ALTER TABLE postings
            ALTER COLUMN passages TYPE bytea USING pg_temp.packed(passages, frequencies, lengths),
            ALTER COLUMN passages SET STORAGE EXTERNAL""")
    op.execute("ALTER TABLE postings RENAME COLUMN passages TO entries")
    op.execute("ALTER TABLE postings DROP COLUMN frequencies, DROP COLUMN lengths")
    op.execute("COMMENT ON TABLE postings IS 'the passages of a block that have a term'")
    op.execute("""
        COMMENT ON COLUMN postings.entries IS
            '12 bytes each, the greater first: passage_id (8), how often it has the term (2), its length in terms (2)'
        """)


def downgrade() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION pg_temp.numbers(entries bytea, start integer, size integer) RETURNS bigint[]
        LANGUAGE sql IMMUTABLE AS $$
            SELECT coalesce(array_agg(('x' || lpad(encode(substr(entries, at + start, size), 'hex'), 16, '0'))::bit(64)
                                      ::bigint ORDER BY at), '{}')
            FROM generate_series(0, length(entries) - 12, 12) AS at
        $$""")
    op.execute("ALTER TABLE postings ADD COLUMN frequencies smallint[], ADD COLUMN lengths smallint[]")
    op.execute("""
        ALTER TABLE postings
            ALTER COLUMN frequencies TYPE smallint[] USING pg_temp.numbers(entries, 9, 2)::smallint[],
            ALTER COLUMN frequencies SET NOT NULL,
            ALTER COLUMN lengths TYPE smallint[] USING pg_temp.numbers(entries, 11, 2)::smallint[],
            ALTER COLUMN lengths SET NOT NULL""")
    op.execute("ALTER TABLE postings ALTER COLUMN entries TYPE bigint[] USING pg_temp.numbers(entries, 1, 8)")
    op.execute("ALTER TABLE postings RENAME COLUMN entries TO passages")
    op.execute("ALTER TABLE postings ALTER COLUMN passages SET STORAGE EXTENDED")
    op.execute("COMMENT ON TABLE postings IS 'the passages of a block that have a term; three arrays in step'")
