-- What Slack told, as it came. Not partitioned by time: a unique key would have to contain the time, and an event that
-- comes again would be another one.
CREATE TABLE slack_events (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    event_id text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    type text NOT NULL,
    channel_id text,
    ts text,
    until text,
    payload jsonb NOT NULL,
    erased_at timestamptz,
    PRIMARY KEY (tenant_id, event_id)
);
COMMENT ON COLUMN slack_events.ts IS 'the message that it is about; of a page of history the oldest';
COMMENT ON COLUMN slack_events.until IS 'of a page of history the newest message';
COMMENT ON COLUMN slack_events.erased_at IS 'when the words of a deleted message were taken out';
CREATE INDEX slack_events_by_message ON slack_events (tenant_id, channel_id, ts);
CREATE INDEX slack_events_pages ON slack_events (tenant_id, channel_id) WHERE type = 'history';

ALTER TABLE slack_messages ADD COLUMN changed_at timestamptz;
COMMENT ON COLUMN slack_messages.changed_at IS 'when Slack told of this version; decides between edits of one second';
UPDATE slack_messages
SET metadata = jsonb_build_object('files', (
    SELECT jsonb_agg(jsonb_build_object('name', file)) FROM jsonb_array_elements_text(metadata -> 'files') AS file
))
WHERE jsonb_typeof(metadata -> 'files') = 'array' AND jsonb_typeof(metadata #> '{files,0}') = 'string';

CREATE TABLE slack_message_versions (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    channel_id text NOT NULL,
    ts text NOT NULL,
    written_at timestamptz NOT NULL,
    digest text NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (tenant_id, channel_id, ts, written_at, digest)
);
COMMENT ON TABLE slack_message_versions IS 'what people''s messages said before their last edit';

-- Under the lock of the row, so that no version falls between two edits that come at the same time.
CREATE FUNCTION slack_messages_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO slack_message_versions (tenant_id, channel_id, ts, written_at, digest, text)
    VALUES (OLD.tenant_id, OLD.channel_id, OLD.ts, coalesce(OLD.edited_at, OLD.sent_at), md5(OLD.text), OLD.text)
    ON CONFLICT DO NOTHING;
    DELETE FROM slack_message_versions
    WHERE tenant_id = NEW.tenant_id AND channel_id = NEW.channel_id AND ts = NEW.ts
      AND written_at = coalesce(NEW.edited_at, NEW.sent_at) AND digest = md5(NEW.text);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_version AFTER UPDATE OF text, edited_at ON slack_messages FOR EACH ROW
WHEN (NEW.deleted_at IS NULL AND OLD.bot_id IS NULL AND NEW.bot_id IS NULL
      AND (OLD.text <> NEW.text OR OLD.edited_at IS DISTINCT FROM NEW.edited_at))
EXECUTE FUNCTION slack_messages_keep_version();

ALTER TABLE slack_reactions
    ADD COLUMN added_at timestamptz,
    ADD COLUMN removed_at timestamptz;
UPDATE slack_reactions SET added_at = to_timestamp(0);
COMMENT ON TABLE slack_reactions IS 'a reaction stands when it was added last; one taken back stays, to outdo a late adding';

ALTER TABLE slack_channels
    ADD COLUMN name_changed_at timestamptz,
    ADD COLUMN archive_changed_at timestamptz;
ALTER TABLE slack_users ADD COLUMN changed_at timestamptz;
COMMENT ON COLUMN slack_users.changed_at IS 'by Slack''s clock; an older description changes nothing';

CREATE TABLE slack_moves (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    channel_id text NOT NULL,
    user_id text NOT NULL,
    joined_at timestamptz,
    left_at timestamptz,
    PRIMARY KEY (tenant_id, channel_id, user_id)
);
COMMENT ON TABLE slack_moves IS 'the last coming and going that events told of; who may read is in slack_members';

CREATE TABLE slack_channel_moves (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    channel_id text NOT NULL,
    moved_to text NOT NULL,
    PRIMARY KEY (tenant_id, channel_id)
);
COMMENT ON TABLE slack_channel_moves IS 'ids that Slack has replaced, each with the one in use';
