"""Documents, passages and their search index."""

from __future__ import annotations

from alembic import op

from athenaeum.database.migrations.isolation import isolate

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _passages()
    _index()
    _documents()
    for table in ("shelves", "passages", "postings", "embeddings", "document_sources", "documents"):
        isolate(table)


def _passages() -> None:
    op.execute("""
        CREATE TABLE shelves (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            shelf text NOT NULL,
            filed bigint NOT NULL,
            passages bigint NOT NULL,
            length bigint NOT NULL,
            PRIMARY KEY (tenant_id, shelf)
        )""")
    op.execute("COMMENT ON TABLE shelves IS 'passages with the same readers: a channel''s messages, or all documents'")
    op.execute("COMMENT ON COLUMN shelves.filed IS 'passages ever put here; places new ones in blocks of postings'")
    op.execute("COMMENT ON COLUMN shelves.length IS 'sum of the passages'' lengths in terms'")
    op.execute("""
        CREATE TABLE passages (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            passage_id bigint GENERATED ALWAYS AS IDENTITY,
            origin text NOT NULL CHECK (origin IN ('document', 'message')),
            source_key text NOT NULL,
            position integer NOT NULL,
            shelf text NOT NULL,
            block integer NOT NULL,
            channel_id text,
            title text NOT NULL,
            heading text NOT NULL,
            url text,
            text text NOT NULL,
            content_hash text NOT NULL,
            length integer NOT NULL,
            written_at timestamptz,
            author text,
            embedder text,
            PRIMARY KEY (tenant_id, passage_id),
            CHECK ((origin = 'message') = (channel_id IS NOT NULL))
        )""")
    op.execute("COMMENT ON COLUMN passages.embedder IS 'whose vectors it has; null: none yet, found by keywords only'")
    op.execute("CREATE INDEX passages_by_source ON passages (tenant_id, source_key)")
    op.execute("CREATE INDEX passages_by_embedder ON passages (tenant_id, embedder)")


def _index() -> None:
    op.execute("""
        CREATE TABLE postings (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            term text NOT NULL,
            shelf text NOT NULL,
            block integer NOT NULL,
            passages bigint[] NOT NULL,
            frequencies smallint[] NOT NULL,
            lengths smallint[] NOT NULL,
            PRIMARY KEY (tenant_id, term, shelf, block)
        ) WITH (fillfactor = 80)""")
    op.execute("COMMENT ON TABLE postings IS 'the passages of a block that have a term; three arrays in step'")
    op.execute("""
        CREATE TABLE embeddings (
            tenant_id uuid NOT NULL,
            passage_id bigint NOT NULL,
            part smallint NOT NULL,
            shelf text NOT NULL,
            embedder text NOT NULL,
            embedding halfvec NOT NULL,
            PRIMARY KEY (tenant_id, passage_id, part),
            FOREIGN KEY (tenant_id, passage_id) REFERENCES passages ON DELETE CASCADE
        )""")
    op.execute("COMMENT ON COLUMN embeddings.part IS 'a passage longer than the embedder''s window has several'")
    op.execute("CREATE INDEX embeddings_by_shelf ON embeddings (tenant_id, shelf)")
    # of the offline embedder alone: an HNSW index wants one length of vectors
    op.execute("""
        CREATE INDEX embeddings_nearest ON embeddings
        USING hnsw ((embedding::halfvec(384)) halfvec_ip_ops) WHERE embedder = 'all-MiniLM-L6-v2'
        """)


def _documents() -> None:
    op.execute("""
        CREATE TABLE document_sources (
            tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
            source_id bigint GENERATED ALWAYS AS IDENTITY,
            kind text NOT NULL CHECK (kind IN ('folder', 'git', 'site')),
            location text NOT NULL,
            base_url text,
            added_at timestamptz NOT NULL DEFAULT now(),
            synced_at timestamptz,
            PRIMARY KEY (tenant_id, source_id),
            UNIQUE (tenant_id, location)
        )""")
    op.execute("""
        CREATE TABLE documents (
            tenant_id uuid NOT NULL,
            source_id bigint NOT NULL,
            path text NOT NULL,
            title text NOT NULL,
            url text,
            stamp text NOT NULL,
            content_hash text NOT NULL,
            passages integer NOT NULL,
            changed_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, source_id, path),
            FOREIGN KEY (tenant_id, source_id) REFERENCES document_sources ON DELETE CASCADE
        )""")
    op.execute("COMMENT ON COLUMN documents.stamp IS 'while it is the same, the document is not even read'")


def downgrade() -> None:
    op.execute("DROP TABLE documents, document_sources, embeddings, postings, passages, shelves")
