-- The queue's functions as they were before 0006.

-- Wakes the listeners when work is due: at once, or after the milliseconds in the message.
CREATE FUNCTION events_announce(_ready_at timestamptz) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('athenaeum_events',
                     greatest(0, ceil(extract(epoch FROM _ready_at - clock_timestamp()) * 1000))::bigint::text)
$$;

-- Puts an event in its place: at the head of its ordering key, or blocked behind the head.
CREATE FUNCTION events_place(_id bigint, _tenant uuid, _kind text, _payload jsonb, _dedupe_key text,
                             _ordering_key text, _priority integer, _ready_at timestamptz, _created_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        INSERT INTO queued_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority, state,
                                   ready_at, created_at)
        VALUES (_id, _tenant, _kind, _payload, _dedupe_key, _ordering_key, _priority, 'ready', _ready_at, _created_at)
        ON CONFLICT (tenant_id, ordering_key) WHERE state IN ('ready', 'running') AND ordering_key IS NOT NULL
        DO NOTHING;
        IF FOUND THEN
            PERFORM events_announce(_ready_at);
            RETURN;
        END IF;
        -- The head stays where it is until we commit: whoever finishes it then sees our row and wakes it.
        PERFORM FROM queued_events
        WHERE tenant_id = _tenant AND ordering_key = _ordering_key AND state IN ('ready', 'running')
        FOR KEY SHARE;
        IF FOUND THEN
            INSERT INTO queued_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority,
                                       state, ready_at, created_at)
            VALUES (_id, _tenant, _kind, _payload, _dedupe_key, _ordering_key, _priority, 'blocked', _ready_at,
                    _created_at);
            RETURN;
        END IF;
        -- The head left between the two statements: the key is free now, or has another head.
    END LOOP;
END $$;

-- The id of the new event, or null when its dedupe key is known.
CREATE FUNCTION events_enqueue(_tenant uuid, _kind text, _payload jsonb, _dedupe_key text, _ordering_key text,
                               _priority integer, _delay interval)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    _now timestamptz := clock_timestamp();
    _id bigint;
BEGIN
    IF _dedupe_key IS NOT NULL THEN
        INSERT INTO event_keys (tenant_id, dedupe_key, remembered_from) VALUES (_tenant, _dedupe_key, _now + _delay)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    _id := nextval('event_ids');
    PERFORM events_place(_id, _tenant, _kind, _payload, _dedupe_key, _ordering_key, _priority, _now + _delay, _now);
    RETURN _id;
END $$;

-- Up to _limit due events, of these kinds and tenants or of any, each with a new lease.
CREATE FUNCTION events_claim(_worker text, _limit integer, _lease interval, _kinds text[],
                             _tenants uuid[] DEFAULT NULL)
RETURNS SETOF queued_events LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT event_id FROM queued_events
        WHERE state = 'ready' AND ready_at <= statement_timestamp() AND (_kinds IS NULL OR kind = ANY (_kinds))
            AND (_tenants IS NULL OR tenant_id = ANY (_tenants))
        ORDER BY priority DESC, ready_at, event_id
        LIMIT _limit
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE queued_events q
    SET state = 'running', attempt = q.attempt + 1, lease_token = nextval('lease_tokens'),
        lease_until = clock_timestamp() + _lease, claimed_by = _worker
    FROM due WHERE q.event_id = due.event_id
    RETURNING q.*;
END $$;

-- Makes the next event of each ordering key runnable, after its head has left. The caller must have locked the
-- head in an earlier statement: only a newer snapshot sees what enqueuers committed while that lock was awaited.
CREATE FUNCTION events_promote(_tenants uuid[], _keys text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _ready_at timestamptz;
BEGIN
    WITH next AS MATERIALIZED (
        SELECT (SELECT b.event_id FROM queued_events b
                WHERE b.tenant_id = freed.tenant AND b.ordering_key = freed.key AND b.state = 'blocked'
                ORDER BY b.event_id LIMIT 1) AS event_id
        FROM unnest(_tenants, _keys) AS freed (tenant, key)
    ), promoted AS (
        UPDATE queued_events q SET state = 'ready' FROM next WHERE q.event_id = next.event_id RETURNING q.ready_at
    )
    SELECT min(ready_at) INTO _ready_at FROM promoted;
    IF _ready_at IS NOT NULL THEN
        PERFORM events_announce(_ready_at);
    END IF;
END $$;

-- Finishes those events whose token is the newest and gives their ids. It waits for nobody, so that no deadlock
-- is possible: an event whose key is being enqueued to at this moment is left for events_complete_one.
CREATE FUNCTION events_complete(_ids bigint[], _tokens bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    _held bigint[];
    _tenants uuid[];
    _keys text[];
BEGIN
    WITH held AS (
        SELECT q.event_id, q.tenant_id, q.ordering_key
        FROM unnest(_ids, _tokens) AS asked (id, token)
        JOIN queued_events q ON q.event_id = asked.id
        WHERE q.lease_token = asked.token AND q.state = 'running'
        FOR UPDATE OF q SKIP LOCKED
    )
    SELECT array_agg(event_id),
           array_agg(tenant_id) FILTER (WHERE ordering_key IS NOT NULL),
           array_agg(ordering_key) FILTER (WHERE ordering_key IS NOT NULL)
    INTO _held, _tenants, _keys FROM held;
    WITH done AS (DELETE FROM queued_events WHERE event_id = ANY (_held) RETURNING *)
    INSERT INTO finished_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority, attempt,
                                 created_at, lease_token, claimed_by, error)
    SELECT event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority, attempt, created_at,
           lease_token, claimed_by, error
    FROM done;
    IF _keys IS NOT NULL THEN
        PERFORM events_promote(_tenants, _keys);
    END IF;
    RETURN coalesce(_held, '{}');
END $$;

-- Finishes one event, after waiting for those who enqueue to its key. True as well for the second call of a
-- claim whose first reply was lost with its connection.
CREATE FUNCTION events_complete_one(_id bigint, _token bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM queued_events WHERE event_id = _id AND lease_token = _token AND state = 'running' FOR UPDATE;
    IF FOUND THEN
        RETURN events_complete(ARRAY[_id], ARRAY[_token]) = ARRAY[_id];
    END IF;
    RETURN EXISTS (SELECT FROM finished_events WHERE event_id = _id AND lease_token = _token);
END $$;

-- Back to the queue for another attempt; the event keeps its place at the head of its ordering key.
CREATE FUNCTION events_retry(_id bigint, _token bigint, _error text, _after interval)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _ready_at timestamptz := clock_timestamp() + _after;
BEGIN
    UPDATE queued_events SET state = 'ready', ready_at = _ready_at, lease_until = NULL, error = _error
    WHERE event_id = _id AND lease_token = _token AND state = 'running';
    IF FOUND THEN
        PERFORM events_announce(_ready_at);
    END IF;
    RETURN FOUND;
END $$;

-- Failed for good: kept apart with its error, and the next of its ordering key may run.
CREATE FUNCTION events_fail(_id bigint, _token bigint, _error text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _tenant uuid;
    _key text;
BEGIN
    SELECT tenant_id, ordering_key INTO _tenant, _key FROM queued_events
    WHERE event_id = _id AND lease_token = _token AND state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    WITH dead AS (DELETE FROM queued_events WHERE event_id = _id RETURNING *)
    INSERT INTO failed_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority, attempt,
                               created_at, lease_token, claimed_by, error)
    SELECT event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority, attempt, created_at,
           lease_token, claimed_by, _error
    FROM dead;
    IF _key IS NOT NULL THEN
        PERFORM events_promote(ARRAY[_tenant], ARRAY[_key]);
    END IF;
    RETURN true;
END $$;

-- Hands claims back untried: due at once, the attempt not counted.
CREATE FUNCTION events_release(_ids bigint[], _tokens bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    _released bigint[];
BEGIN
    WITH released AS (
        UPDATE queued_events q
        SET state = 'ready', ready_at = least(q.ready_at, clock_timestamp()), attempt = q.attempt - 1,
            lease_until = NULL, claimed_by = NULL
        FROM unnest(_ids, _tokens) AS asked (id, token)
        WHERE q.event_id = asked.id AND q.lease_token = asked.token AND q.state = 'running'
        RETURNING q.event_id
    )
    SELECT array_agg(event_id) INTO _released FROM released;
    IF _released IS NOT NULL THEN
        PERFORM events_announce(clock_timestamp());
    END IF;
    RETURN coalesce(_released, '{}');
END $$;

-- Hands back what a worker claimed without hearing of it, because its connection was lost with the reply.
CREATE FUNCTION events_release_unknown(_worker text, _known bigint[]) RETURNS bigint[] LANGUAGE sql AS $$
    SELECT events_release(array_agg(event_id), array_agg(lease_token)) FROM queued_events
    WHERE state = 'running' AND claimed_by = _worker AND event_id <> ALL (_known)
$$;

-- The heartbeat: ids of the claims that are still held. A lease that ran out is extended all the same while
-- nobody else has taken the event.
CREATE FUNCTION events_extend(_ids bigint[], _tokens bigint[], _lease interval) RETURNS bigint[] LANGUAGE sql AS $$
    WITH extended AS (
        UPDATE queued_events q SET lease_until = clock_timestamp() + _lease
        FROM unnest(_ids, _tokens) AS asked (id, token)
        WHERE q.event_id = asked.id AND q.lease_token = asked.token AND q.state = 'running'
        RETURNING q.event_id
    )
    SELECT coalesce(array_agg(event_id), '{}') FROM extended
$$;

-- Makes events whose lease ran out ready again; those that were claimed _attempts times already have failed.
CREATE FUNCTION events_rescue(_attempts integer, OUT rescued integer, OUT failed integer) LANGUAGE plpgsql AS $$
DECLARE
    _expired record;
BEGIN
    rescued := 0;
    failed := 0;
    FOR _expired IN
        SELECT event_id, lease_token, attempt, claimed_by FROM queued_events
        WHERE state = 'running' AND lease_until < statement_timestamp()
        FOR UPDATE SKIP LOCKED
    LOOP
        IF _expired.attempt < _attempts THEN
            PERFORM events_retry(_expired.event_id, _expired.lease_token,
                                 'the lease of worker ' || _expired.claimed_by || ' ran out', interval '0');
            rescued := rescued + 1;
        ELSE
            PERFORM events_fail(_expired.event_id, _expired.lease_token,
                                'the lease ran out ' || _expired.attempt || ' times, last with worker '
                                || _expired.claimed_by);
            failed := failed + 1;
        END IF;
    END LOOP;
END $$;

-- A failed event becomes pending again, its attempts counted from the beginning.
CREATE FUNCTION events_revive(_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _dead failed_events;
BEGIN
    DELETE FROM failed_events WHERE event_id = _id RETURNING * INTO _dead;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM events_place(_dead.event_id, _dead.tenant_id, _dead.kind, _dead.payload, _dead.dedupe_key,
                         _dead.ordering_key, _dead.priority, clock_timestamp(), _dead.created_at);
    RETURN true;
END $$;

-- Sessions cache plans: one that was made while the table was empty must not read or sort all of it when it is long.
DO $$
DECLARE
    _function text;
    _setting text;
BEGIN
    FOREACH _function IN ARRAY ARRAY['events_place', 'events_claim', 'events_promote', 'events_complete',
                                     'events_complete_one', 'events_retry', 'events_fail', 'events_release',
                                     'events_extend', 'events_rescue'] LOOP
        FOREACH _setting IN ARRAY ARRAY['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'enable_hashjoin',
                                        'enable_mergejoin'] LOOP
            EXECUTE format('ALTER FUNCTION %I SET %I = off', _function, _setting);
        END LOOP;
    END LOOP;
END $$;
