-- What was told to a broker and is not claimed yet. An event is told by its id; a claim changes its token, so that a
-- row with an older one is of the past, and the event, if it is runnable again, is told at once.
CREATE TABLE sent_events (
    event_id bigint PRIMARY KEY,
    tenant_id uuid NOT NULL,
    lease_token bigint NOT NULL,
    times integer NOT NULL,
    sent_until timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
COMMENT ON COLUMN sent_events.sent_until IS 'its message counts as lost if nobody has claimed it by then';

-- The ids of runnable events that are to be told now, so many that no more than _bound are told and unclaimed: by
-- priority, then in turns to tenants and to the kinds of a tenant, then as claims take them; and how many more there may
-- be. Several callers share them out. An event whose message seems lost is told again after _patience, twice that, and
-- so on up to a minute.
CREATE FUNCTION events_send(_bound integer, _patience interval, _tenants uuid[], OUT ids bigint[], OUT room integer)
LANGUAGE plpgsql AS $$
DECLARE
    _limited boolean := EXISTS (SELECT FROM event_limits);
    _rank integer;
    _least integer := -2147483647;
    _batch bigint[];
BEGIN
    ids := '{}';
    PERFORM pg_advisory_xact_lock(hashtext('sent_events'));
    UPDATE queued_events q SET state = 'ready' WHERE q.event_id IN (
        SELECT w.event_id FROM queued_events w WHERE w.state = 'waiting' AND w.ready_at <= statement_timestamp()
        ORDER BY w.ready_at LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED);
    -- The event is looked up by its id alone: the planner takes the index of ready events for small, and reads it all.
    DELETE FROM sent_events s WHERE (
        SELECT q.state = 'ready' AND q.lease_token = s.lease_token FROM queued_events q WHERE q.event_id = s.event_id
    ) IS NOT TRUE;
    room := _bound - (SELECT count(*) FROM sent_events s WHERE s.sent_until > clock_timestamp());
    WHILE room > 0 LOOP
        SELECT q.rank INTO _rank FROM queued_events q WHERE q.state = 'ready' AND q.rank >= _least
        ORDER BY q.rank, q.tenant_id, q.kind, q.tag, q.event_id LIMIT 1;
        EXIT WHEN NOT FOUND;
        WITH groups AS MATERIALIZED (
            -- From a group on that is drawn by lot, since there may be more of them than room.
            SELECT g.tenant_id, g.kind, ceil(room::float / count(*) OVER ())::integer AS share
            FROM events_groups(_rank, NULL, _tenants, gen_random_uuid(), '', room) AS g
        ), due AS MATERIALIZED (
            SELECT d.event_id, d.lease_token, g.tenant_id,
                   row_number() OVER (PARTITION BY g.tenant_id ORDER BY d.nth, g.kind) AS turn
            FROM groups g CROSS JOIN LATERAL (
                SELECT q.event_id, q.lease_token, row_number() OVER (ORDER BY q.tag, q.event_id) AS nth
                FROM queued_events q
                WHERE q.state = 'ready' AND q.rank = _rank AND q.tenant_id = g.tenant_id AND q.kind = g.kind
                    AND q.event_id <> ALL (ids)
                    AND NOT EXISTS (SELECT FROM sent_events s
                                    WHERE s.event_id = q.event_id AND s.sent_until > clock_timestamp())
                ORDER BY q.tag, q.event_id
                LIMIT CASE WHEN _limited THEN greatest(0, least(g.share, events_free(g.tenant_id, g.kind) - (
                    SELECT count(*) FROM sent_events s JOIN queued_events o USING (event_id)
                    WHERE s.tenant_id = g.tenant_id AND o.kind = g.kind AND s.sent_until > clock_timestamp())))
                    ELSE g.share END
            ) d
            ORDER BY turn, g.tenant_id
            LIMIT room
        ), sent AS (
            INSERT INTO sent_events AS s (event_id, tenant_id, lease_token, times, sent_until)
            SELECT event_id, tenant_id, lease_token, 1, clock_timestamp() + _patience FROM due
            ON CONFLICT (event_id) DO UPDATE
            SET lease_token = excluded.lease_token, times = s.times + 1,
                sent_until = clock_timestamp() + least(_patience * 2 ^ least(s.times, 20), interval '1 minute')
        )
        SELECT array_agg(event_id ORDER BY turn, tenant_id) INTO _batch FROM due;
        IF _batch IS NULL THEN
            _least := _rank + 1;
        ELSE
            ids := ids || _batch;
            room := room - cardinality(_batch);
        END IF;
    END LOOP;
END $$;

GRANT CREATE ON SCHEMA {schema} TO {engine};
ALTER FUNCTION events_send SECURITY DEFINER SET search_path = {schema}, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off;
REVOKE EXECUTE ON FUNCTION events_send FROM PUBLIC;
ALTER FUNCTION events_send OWNER TO {engine};
SET LOCAL ROLE {engine};
GRANT EXECUTE ON FUNCTION events_send TO SESSION_USER;
RESET ROLE;
REVOKE CREATE ON SCHEMA {schema} FROM {engine};
