-- The event queue. What is still to be done is one row of queued_events, which leaves it when it is finished:
-- to finished_events (append-only, a partition a day) or to failed_events (until retried or dropped).

-- CACHE 1: tokens must grow with every claim, whichever session makes it.
CREATE SEQUENCE lease_tokens CACHE 1;
CREATE SEQUENCE event_ids;

-- No reference to tenants: its lock on the tenant's row would be shared by every enqueuer of the tenant.
CREATE TABLE queued_events (
    event_id bigint PRIMARY KEY,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    dedupe_key text,
    ordering_key text,
    priority integer NOT NULL DEFAULT 0,
    state text NOT NULL CHECK (state IN ('ready', 'blocked', 'running')),
    attempt integer NOT NULL DEFAULT 0,
    ready_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_token bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    claimed_by text,
    error text
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
COMMENT ON COLUMN queued_events.state IS 'blocked: waits behind the head of its ordering key';
CREATE INDEX queued_events_ready ON queued_events (priority DESC, ready_at, event_id) WHERE state = 'ready';
-- One runnable or running event per ordering key, by constraint.
CREATE UNIQUE INDEX queued_events_head ON queued_events (tenant_id, ordering_key)
    WHERE state IN ('ready', 'running') AND ordering_key IS NOT NULL;
CREATE INDEX queued_events_blocked ON queued_events (tenant_id, ordering_key, event_id) WHERE state = 'blocked';
-- Not on lease_until: a heartbeat then changes no indexed column (HOT), and running rows are few.
CREATE INDEX queued_events_running ON queued_events (event_id) WHERE state = 'running';

CREATE TABLE event_keys (
    tenant_id uuid NOT NULL,
    dedupe_key text NOT NULL,
    remembered_from timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, dedupe_key)
);
CREATE INDEX event_keys_age ON event_keys USING brin (remembered_from);

CREATE TABLE failed_events (
    event_id bigint PRIMARY KEY,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    dedupe_key text,
    ordering_key text,
    priority integer NOT NULL,
    attempt integer NOT NULL,
    created_at timestamptz NOT NULL,
    lease_token bigint NOT NULL,
    claimed_by text,
    error text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE finished_events (
    event_id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    dedupe_key text,
    ordering_key text,
    priority integer NOT NULL,
    attempt integer NOT NULL,
    created_at timestamptz NOT NULL,
    lease_token bigint NOT NULL,
    claimed_by text,
    error text,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (event_id, finished_at)
) PARTITION BY RANGE (finished_at);
COMMENT ON COLUMN finished_events.error IS 'of the attempt before the last one';
-- Takes what finishes on a day that nobody made a partition for.
CREATE TABLE finished_events_default PARTITION OF finished_events DEFAULT;
ALTER TABLE finished_events_default ENABLE ROW LEVEL SECURITY;

CREATE VIEW events WITH (security_invoker = true) AS
    SELECT event_id AS id, kind AS event_type, payload,
           CASE state WHEN 'running' THEN 'processing' ELSE 'pending' END AS status,
           lease_until AS visibility_timeout, claimed_by, greatest(attempt - 1, 0) AS retry_count,
           error AS error_message, created_at, NULL::timestamptz AS processed_at,
           tenant_id, dedupe_key, ordering_key, lease_token, priority, ready_at
    FROM queued_events
    UNION ALL
    SELECT event_id, kind, payload, 'failed', NULL, claimed_by, greatest(attempt - 1, 0),
           error, created_at, failed_at, tenant_id, dedupe_key, ordering_key, lease_token, priority, NULL
    FROM failed_events
    UNION ALL
    SELECT event_id, kind, payload, 'completed', NULL, claimed_by, greatest(attempt - 1, 0),
           error, created_at, finished_at, tenant_id, dedupe_key, ordering_key, lease_token, priority, NULL
    FROM finished_events;

-- Partitions for the days to come, and an end to history and dedupe keys that are older than is wanted.
-- Runs as the owner of the tables, whom partitions must belong to.
CREATE FUNCTION events_upkeep(_keep interval, _keep_keys interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    _today date := current_date;
    _day date;
    _partition text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('events_upkeep')) THEN
        RETURN;
    END IF;
    -- Today's rows may be in the default partition already: only days that have not begun are cut out of it.
    FOR _day IN SELECT _today + i FROM generate_series(1, 7) AS i LOOP
        _partition := 'finished_events_' || to_char(_day, 'YYYYMMDD');
        IF to_regclass(_partition) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF finished_events FOR VALUES FROM (%L) TO (%L)',
                           _partition, _day, _day + 1);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', _partition);
        END IF;
    END LOOP;
    FOR _partition IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'finished_events'::regclass AND c.relname ~ '^finished_events_\d{8}$'
    LOOP
        IF to_date(right(_partition, 8), 'YYYYMMDD') + 1 <= now() - _keep THEN
            EXECUTE format('DROP TABLE %I', _partition);
        END IF;
    END LOOP;
    DELETE FROM finished_events_default WHERE finished_at < now() - _keep;
    -- A key outlives its event, however long that one waits.
    DELETE FROM event_keys k WHERE remembered_from < now() - _keep_keys
        AND NOT EXISTS (SELECT FROM queued_events q
                        WHERE q.tenant_id = k.tenant_id AND q.dedupe_key = k.dedupe_key);
END $$;
