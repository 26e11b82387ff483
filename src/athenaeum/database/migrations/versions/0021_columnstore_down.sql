DROP VIEW slack_messages;
SELECT remove_compression_policy('slack_message_store');
SELECT decompress_chunk(chunk, true) FROM show_chunks('slack_message_store') AS chunk;
ALTER TABLE slack_message_store SET (timescaledb.compress = false);
ALTER TABLE slack_message_store RENAME TO slack_messages;
COMMENT ON TABLE slack_messages IS NULL;
CREATE INDEX slack_messages_sent_at_idx ON slack_messages (sent_at DESC);
DO $$ BEGIN
    EXECUTE format(
        'ALTER DATABASE %I RESET timescaledb.max_tuples_decompressed_per_dml_transaction', current_database()
    );
END $$;
