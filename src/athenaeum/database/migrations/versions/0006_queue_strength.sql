-- All functions of the queue, anew. Its tables are described in 0002; here they gain what fair shares, limits,
-- cancelling and periodic work need. `rank` is the priority negated, so that an ascending index has the most urgent first.

DROP FUNCTION events_revive, events_rescue, events_extend, events_release_unknown, events_release,
    events_fail, events_retry, events_complete_one, events_complete, events_promote, events_claim, events_enqueue,
    events_place, events_announce;
DROP INDEX queued_events_ready, queued_events_head;
ALTER TABLE queued_events
    DROP CONSTRAINT queued_events_state_check,
    ADD CONSTRAINT queued_events_state_check CHECK (state IN ('waiting', 'ready', 'blocked', 'running')),
    ADD COLUMN rank integer NOT NULL GENERATED ALWAYS AS (-priority) STORED,
    ADD COLUMN fair_key text,
    ADD COLUMN tag bigint NOT NULL DEFAULT 0;
ALTER TABLE failed_events ADD COLUMN fair_key text;
COMMENT ON COLUMN queued_events.state IS 'waiting: not due yet; blocked: waits behind the head of its ordering key';
COMMENT ON COLUMN queued_events.tag IS 'place among the events of its tenant and kind; see events_tag';
UPDATE queued_events SET state = 'waiting' WHERE state = 'ready' AND ready_at > clock_timestamp();
-- A claim descends to the groups that have ready events, and takes the first of each.
CREATE INDEX queued_events_ready ON queued_events (rank, tenant_id, kind, tag, event_id) WHERE state = 'ready';
CREATE INDEX queued_events_waiting ON queued_events (ready_at) WHERE state = 'waiting';
CREATE INDEX queued_events_flow ON queued_events (tenant_id, kind, rank, fair_key, tag) WHERE fair_key IS NOT NULL;
-- One event per ordering key that waits, may run or runs, by constraint.
CREATE UNIQUE INDEX queued_events_head ON queued_events (tenant_id, ordering_key)
    WHERE state IN ('waiting', 'ready', 'running') AND ordering_key IS NOT NULL;

CREATE TABLE event_limits (
    tenant_id uuid,
    kind text,
    at_most integer NOT NULL CHECK (at_most >= 0),
    UNIQUE NULLS NOT DISTINCT (tenant_id, kind)
);
COMMENT ON TABLE event_limits IS 'how many events run at once; null: of any tenant, of any kind';

CREATE TABLE event_schedules (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    priority integer NOT NULL DEFAULT 0,
    every interval NOT NULL CHECK (every >= interval '1 second'),
    next_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- Wakes the listeners when work is due: at once, or after the milliseconds in the message. Only for what is rare:
-- enqueuers and finishers of many events do it after their commit (see database/notifier.py).
CREATE FUNCTION events_announce(_ready_at timestamptz) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('athenaeum_events',
                     greatest(0, ceil(extract(epoch FROM _ready_at - clock_timestamp()) * 1000))::bigint::text)
$$;

-- The place of a new event among those of its tenant, kind and priority: behind the last one of its own fair key, but
-- not before what is served next. Start-time fair queueing (Goyal, Vin, Cheng 1996) with events of equal length. Events
-- without a fair key have tag 0: they are on nobody's account, and go first.
CREATE FUNCTION events_tag(_tenant uuid, _kind text, _priority integer, _fair_key text) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    RETURN greatest(1,
        (SELECT tag FROM queued_events
         WHERE state = 'ready' AND rank = -_priority AND tenant_id = _tenant AND kind = _kind AND tag > 0
         ORDER BY tag, event_id LIMIT 1),
        (SELECT tag + 1 FROM queued_events
         WHERE tenant_id = _tenant AND kind = _kind AND rank = -_priority AND fair_key = _fair_key
         ORDER BY tag DESC LIMIT 1));
END $$;

-- Puts an event in its place: at the head of its ordering key, or blocked behind the head.
CREATE FUNCTION events_place(_id bigint, _tenant uuid, _kind text, _payload jsonb, _dedupe_key text,
                             _ordering_key text, _fair_key text, _priority integer, _ready_at timestamptz,
                             _created_at timestamptz, _tag bigint DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF _tag IS NULL THEN
        _tag := CASE WHEN _fair_key IS NULL THEN 0 ELSE events_tag(_tenant, _kind, _priority, _fair_key) END;
    END IF;
    LOOP
        INSERT INTO queued_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, fair_key, priority,
                                   tag, state, ready_at, created_at)
        VALUES (_id, _tenant, _kind, _payload, _dedupe_key, _ordering_key, _fair_key, _priority, _tag,
                CASE WHEN _ready_at > clock_timestamp() THEN 'waiting' ELSE 'ready' END, _ready_at, _created_at)
        ON CONFLICT (tenant_id, ordering_key)
            WHERE state IN ('waiting', 'ready', 'running') AND ordering_key IS NOT NULL
        DO NOTHING;
        IF FOUND THEN
            RETURN;
        END IF;
        -- The head stays where it is until we commit: whoever finishes it then sees our row and wakes it.
        PERFORM FROM queued_events
        WHERE tenant_id = _tenant AND ordering_key = _ordering_key AND state IN ('waiting', 'ready', 'running')
        FOR KEY SHARE;
        IF FOUND THEN
            INSERT INTO queued_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, fair_key,
                                       priority, tag, state, ready_at, created_at)
            VALUES (_id, _tenant, _kind, _payload, _dedupe_key, _ordering_key, _fair_key, _priority, _tag, 'blocked',
                    _ready_at, _created_at);
            RETURN;
        END IF;
        -- The head left between the two statements: the key is free now, or has another head.
    END LOOP;
END $$;

-- The id of the new event, or null when its dedupe key is known. The caller announces it after the commit.
CREATE FUNCTION events_enqueue(_tenant uuid, _kind text, _payload jsonb, _dedupe_key text, _ordering_key text,
                               _fair_key text, _priority integer, _delay interval)
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
    PERFORM events_place(_id, _tenant, _kind, _payload, _dedupe_key, _ordering_key, _fair_key, _priority,
                         _now + _delay, _now);
    RETURN _id;
END $$;

-- One value for all stands for as many of it.
CREATE FUNCTION events_fill(_values anyarray, _count integer) RETURNS anyarray LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN cardinality(_values) = 1 THEN array_fill(_values[1], ARRAY[_count]) ELSE _values END
$$;

-- The same for many events at once: their ids in the order given, null for those whose dedupe key is known. What all of
-- them share may be given as an array of one. A plan for the values of a call has flat arrays in it, each of whose
-- elements is counted up to from the first: 18 ms for a thousand events, and 11 with a generic one.
CREATE FUNCTION events_enqueue_many(_tenants uuid[], _kinds text[], _payloads jsonb, _dedupe_keys text[],
                                    _ordering_keys text[], _fair_keys text[], _priorities integer[],
                                    _delays interval[])
RETURNS bigint[] LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    _now timestamptz := clock_timestamp();
    _count integer := jsonb_array_length(_payloads);
    _ids bigint[];
    _tags bigint[];
    _n integer;
BEGIN
    _tenants := events_fill(_tenants, _count);
    _kinds := events_fill(_kinds, _count);
    _dedupe_keys := events_fill(_dedupe_keys, _count);
    _ordering_keys := events_fill(_ordering_keys, _count);
    _fair_keys := events_fill(_fair_keys, _count);
    _priorities := events_fill(_priorities, _count);
    _delays := events_fill(_delays, _count);
    -- Rows are made in the order of their keys, so that two callers with the same ones wait in one direction only. Where
    -- no key is known, as it mostly is, that saves a third of the cost of ON CONFLICT, and a join.
    BEGIN
        INSERT INTO event_keys (tenant_id, dedupe_key, remembered_from)
        SELECT _tenants[n], _dedupe_keys[n], _now + _delays[n] FROM generate_series(1, _count) AS n
        WHERE _dedupe_keys[n] IS NOT NULL
        ORDER BY 1, 2;
        _ids := ARRAY(SELECT nextval('event_ids') FROM generate_series(1, _count));
    EXCEPTION WHEN unique_violation THEN
        WITH asked AS (
            SELECT * FROM unnest(_tenants, _dedupe_keys, _delays) WITH ORDINALITY AS a (tenant, key, delay, nth)
        ), news AS (
            INSERT INTO event_keys (tenant_id, dedupe_key, remembered_from)
            SELECT tenant, key, _now + delay FROM asked WHERE key IS NOT NULL ORDER BY tenant, key, nth
            ON CONFLICT DO NOTHING
            RETURNING tenant_id, dedupe_key
        ), firsts AS (
            SELECT a.nth, a.key IS NULL
                       OR n.dedupe_key IS NOT NULL
                       AND row_number() OVER (PARTITION BY a.tenant, a.key ORDER BY a.nth) = 1 AS new
            FROM asked a LEFT JOIN news n ON n.tenant_id = a.tenant AND n.dedupe_key = a.key
            ORDER BY a.nth
        )
        SELECT array_agg(CASE WHEN new THEN nextval('event_ids') END ORDER BY nth) INTO _ids FROM firsts;
    END;
    IF array_remove(_fair_keys, NULL) <> '{}' THEN
        WITH fresh AS (
            SELECT * FROM unnest(_ids, _tenants, _kinds, _priorities, _fair_keys) WITH ORDINALITY
                AS f (id, tenant, kind, priority, fair_key, nth)
        ), flows AS (
            SELECT tenant, kind, priority, fair_key, events_tag(tenant, kind, priority, fair_key) AS tag
            FROM fresh WHERE id IS NOT NULL AND fair_key IS NOT NULL GROUP BY tenant, kind, priority, fair_key
        ), tagged AS (
            SELECT f.nth, o.tag - 1 + row_number() OVER (
                       PARTITION BY f.tenant, f.kind, f.priority, f.fair_key, f.id IS NULL ORDER BY f.nth) AS tag
            FROM fresh f LEFT JOIN flows o USING (tenant, kind, priority, fair_key)
        )
        SELECT array_agg(coalesce(tag, 0) ORDER BY nth) INTO _tags FROM tagged;
    END IF;
    BEGIN
        -- Sorted by number: the events themselves are wide.
        INSERT INTO queued_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, fair_key, priority,
                                   tag, state, ready_at, created_at)
        SELECT _ids[n], _tenants[n], _kinds[n], _payloads -> n - 1, _dedupe_keys[n], _ordering_keys[n], _fair_keys[n],
               _priorities[n], coalesce(_tags[n], 0),
               CASE WHEN _delays[n] > interval '0' THEN 'waiting' ELSE 'ready' END, _now + _delays[n], _now
        FROM (SELECT n FROM generate_series(1, _count) AS n
              WHERE _ids[n] IS NOT NULL
              ORDER BY _tenants[n], _ordering_keys[n], n) AS numbers;
        RETURN _ids;
    EXCEPTION WHEN unique_violation THEN
        -- An ordering key has its head already, or comes twice: each event is put in its place by itself.
    END;
    FOR _n IN
        SELECT n FROM generate_series(1, _count) AS n
        WHERE _ids[n] IS NOT NULL
        ORDER BY _tenants[n], _ordering_keys[n], n
    LOOP
        PERFORM events_place(_ids[_n], _tenants[_n], _kinds[_n], _payloads -> _n - 1, _dedupe_keys[_n],
                             _ordering_keys[_n], _fair_keys[_n], _priorities[_n], _now + _delays[_n], _now,
                             coalesce(_tags[_n], 0));
    END LOOP;
    RETURN _ids;
END $$;

-- How many more events of a tenant and kind may run; null where nothing limits them.
CREATE FUNCTION events_free(_tenant uuid, _kind text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT min(l.at_most - (SELECT count(*) FROM queued_events q
                                    WHERE q.state = 'running' AND q.tenant_id = coalesce(l.tenant_id, q.tenant_id)
                                        AND q.kind = coalesce(l.kind, q.kind)))
            FROM event_limits l
            WHERE coalesce(l.tenant_id, _tenant) = _tenant AND coalesce(l.kind, _kind) = _kind);
END $$;

-- Up to _count groups (tenant, kind) that have ready events of a rank and may run: tenants in turns, from the one behind
-- _tenant on and round, each first with one of its kinds. Kinds take turns as well: those of _tenant from the one behind
-- _kind on, those of others by lot. A group is found by one descent of the index, however many events it has.
CREATE FUNCTION events_groups(_rank integer, _kinds text[], _tenants uuid[], _tenant uuid, _kind text, _count integer)
RETURNS TABLE (tenant_id uuid, kind text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _limited boolean := EXISTS (SELECT FROM event_limits);
BEGIN
    RETURN QUERY
    WITH RECURSIVE behind AS (
        (SELECT q.tenant_id FROM queued_events q
         WHERE q.state = 'ready' AND q.rank = _rank AND q.tenant_id > _tenant AND _tenants IS NULL
         ORDER BY q.rank, q.tenant_id LIMIT 1)
        UNION ALL
        SELECT n.tenant_id FROM behind p CROSS JOIN LATERAL (
            SELECT q.tenant_id FROM queued_events q
            WHERE q.state = 'ready' AND q.rank = _rank AND q.tenant_id > p.tenant_id
            ORDER BY q.rank, q.tenant_id LIMIT 1) n
    ), before AS (
        (SELECT q.tenant_id FROM queued_events q
         WHERE q.state = 'ready' AND q.rank = _rank AND q.tenant_id <= _tenant AND _tenants IS NULL
         ORDER BY q.rank, q.tenant_id LIMIT 1)
        UNION ALL
        SELECT n.tenant_id FROM before p CROSS JOIN LATERAL (
            SELECT q.tenant_id FROM queued_events q
            WHERE q.state = 'ready' AND q.rank = _rank AND q.tenant_id > p.tenant_id AND q.tenant_id <= _tenant
            ORDER BY q.rank, q.tenant_id LIMIT 1) n
    ), found AS (
        SELECT row_number() OVER () AS nth, t.tenant_id, k.kinds
        FROM (SELECT b.tenant_id FROM behind b
              UNION ALL SELECT b.tenant_id FROM before b
              UNION ALL (SELECT w.tenant_id FROM (SELECT DISTINCT unnest(_tenants)) AS w (tenant_id)
                         ORDER BY w.tenant_id <= _tenant, w.tenant_id)) t
        CROSS JOIN LATERAL (
            WITH RECURSIVE each AS (
                (SELECT q.kind FROM queued_events q
                 WHERE q.state = 'ready' AND q.rank = _rank AND q.tenant_id = t.tenant_id
                 ORDER BY q.rank, q.tenant_id, q.kind LIMIT 1)
                UNION ALL
                SELECT n.kind FROM each e CROSS JOIN LATERAL (
                    SELECT q.kind FROM queued_events q
                    WHERE q.state = 'ready' AND q.rank = _rank AND q.tenant_id = t.tenant_id AND q.kind > e.kind
                    ORDER BY q.rank, q.tenant_id, q.kind LIMIT 1) n
            )
            SELECT array_agg(e.kind ORDER BY CASE WHEN t.tenant_id <> _tenant THEN random()
                                                  WHEN e.kind > _kind THEN 0 ELSE 1 END, e.kind) AS kinds
            FROM each e
            WHERE (_kinds IS NULL OR e.kind = ANY (_kinds))
                AND (NOT _limited OR coalesce(events_free(t.tenant_id, e.kind) > 0, true))
        ) k
        WHERE k.kinds IS NOT NULL
        LIMIT _count
    )
    SELECT f.tenant_id, g.kind
    FROM found f CROSS JOIN LATERAL unnest(f.kinds) WITH ORDINALITY AS g (kind, turn)
    ORDER BY g.turn, f.nth
    LIMIT _count;
END $$;

-- Up to _limit due events, of these kinds and tenants or of any, each with a new lease: by priority, then in equal
-- shares to tenants, to the kinds of a tenant and to the fair keys of a kind, then by age. Who is served first is told
-- by (_tenant, _kind), the group that was served last.
CREATE FUNCTION events_claim(_worker text, _limit integer, _lease interval, _kinds text[], _tenants uuid[] DEFAULT NULL,
                             _tenant uuid DEFAULT '00000000-0000-0000-0000-000000000000', _kind text DEFAULT '')
RETURNS TABLE (event_id bigint, tenant_id uuid, kind text, payload jsonb, lease_token bigint, attempt integer,
               created_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    _limited boolean := EXISTS (SELECT FROM event_limits);
    _rank integer;
    _least bigint := -2147483647;
    _wanted integer;
    _ahead integer := CASE WHEN _limited THEN 0 ELSE 8 END;  -- more groups than are wanted: others may hold the first
    _group_tenants uuid[];
    _group_kinds text[];
    _shares integer[];
    _taken integer;
BEGIN
    -- Not by clock_timestamp(), which no index is searched with: it may change from row to row.
    UPDATE queued_events q SET state = 'ready' WHERE q.event_id IN (
        SELECT w.event_id FROM queued_events w WHERE w.state = 'waiting' AND w.ready_at <= statement_timestamp()
        ORDER BY w.ready_at LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED);
    IF _limited THEN
        -- Only who counts alone counts right.
        PERFORM pg_advisory_xact_lock(hashtext('event_limits'));
    END IF;
    WHILE _limit > 0 LOOP
        SELECT q.rank, ARRAY[q.tenant_id], ARRAY[q.kind] INTO _rank, _group_tenants, _group_kinds
        FROM queued_events q WHERE q.state = 'ready' AND q.rank >= _least
        ORDER BY q.rank, q.tenant_id, q.kind, q.tag, q.event_id LIMIT 1;
        EXIT WHEN NOT FOUND;
        _wanted := CASE WHEN _limited THEN 1 ELSE _limit END;
        _shares := ARRAY[_wanted];
        -- Of one group alone, as it mostly is, no shares need be made.
        IF _limited OR _kinds IS NOT NULL OR _tenants IS NOT NULL OR EXISTS (
            SELECT FROM queued_events q
            WHERE q.state = 'ready' AND q.rank = _rank AND (q.tenant_id, q.kind) > (_group_tenants[1], _group_kinds[1])
        ) THEN
            SELECT array_agg(s.tenant_id), array_agg(s.kind), array_agg(s.share)
            INTO _group_tenants, _group_kinds, _shares
            FROM (SELECT g.tenant_id, g.kind,
                         ceil(_wanted::float / count(*) FILTER (WHERE g.first) OVER () / g.kinds)::integer AS share
                  FROM (SELECT f.*, row_number() OVER (PARTITION BY f.tenant_id) = 1 AS first,
                               count(*) OVER (PARTITION BY f.tenant_id) AS kinds
                        FROM events_groups(_rank, _kinds, _tenants, _tenant, _kind, _wanted + _ahead)
                            WITH ORDINALITY AS f (tenant_id, kind, nth)) g
                  ORDER BY g.nth) s;
        END IF;
        RETURN QUERY
        WITH due AS MATERIALIZED (
            SELECT d.event_id FROM unnest(_group_tenants, _group_kinds, _shares) AS g (tenant, kind, share)
            CROSS JOIN LATERAL (
                SELECT q.event_id FROM queued_events q
                WHERE q.state = 'ready' AND q.rank = _rank AND q.tenant_id = g.tenant AND q.kind = g.kind
                ORDER BY q.rank, q.tenant_id, q.kind, q.tag, q.event_id
                LIMIT g.share FOR NO KEY UPDATE SKIP LOCKED) d
            LIMIT _wanted
        )
        UPDATE queued_events q
        SET state = 'running', attempt = q.attempt + 1, lease_token = nextval('lease_tokens'),
            lease_until = clock_timestamp() + _lease, claimed_by = _worker
        FROM due WHERE q.event_id = due.event_id
        RETURNING q.event_id, q.tenant_id, q.kind, q.payload, q.lease_token, q.attempt, q.created_at;
        GET DIAGNOSTICS _taken = ROW_COUNT;
        _limit := _limit - _taken;
        IF _taken = 0 AND cardinality(_group_tenants) = _wanted + _ahead THEN
            _ahead := greatest(_ahead * 100, 8);
        ELSIF _taken = 0 OR _taken < _wanted AND cardinality(_group_tenants) = 1 THEN
            _least := _rank::bigint + 1;
        ELSE
            _tenant := _group_tenants[least(_wanted, cardinality(_group_tenants))];
            _kind := _group_kinds[least(_wanted, cardinality(_group_kinds))];
        END IF;
    END LOOP;
END $$;

-- Exactly this event, if it is due and may run now.
CREATE FUNCTION events_claim_one(_worker text, _id bigint, _lease interval)
RETURNS TABLE (event_id bigint, tenant_id uuid, kind text, payload jsonb, lease_token bigint, attempt integer,
               created_at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM event_limits) THEN
        PERFORM pg_advisory_xact_lock(hashtext('event_limits'));
    END IF;
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT d.event_id FROM queued_events d
        WHERE d.event_id = _id AND d.state IN ('waiting', 'ready') AND d.ready_at <= clock_timestamp()
            AND coalesce(events_free(d.tenant_id, d.kind) > 0, true)
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE queued_events q
    SET state = 'running', attempt = q.attempt + 1, lease_token = nextval('lease_tokens'),
        lease_until = clock_timestamp() + _lease, claimed_by = _worker
    FROM due WHERE q.event_id = due.event_id
    RETURNING q.event_id, q.tenant_id, q.kind, q.payload, q.lease_token, q.attempt, q.created_at;
END $$;

-- Makes the next event of each ordering key runnable, after its head has left; when the first of them is due. The
-- caller must have locked the head in an earlier statement: only a newer snapshot sees what enqueuers committed while
-- that lock was awaited.
CREATE FUNCTION events_promote(_tenants uuid[], _keys text[]) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    _ready_at timestamptz;
BEGIN
    WITH next AS MATERIALIZED (
        SELECT (SELECT b.event_id FROM queued_events b
                WHERE b.tenant_id = freed.tenant AND b.ordering_key = freed.key AND b.state = 'blocked'
                ORDER BY b.event_id LIMIT 1) AS event_id
        FROM unnest(_tenants, _keys) AS freed (tenant, key)
    ), promoted AS (
        UPDATE queued_events q
        SET state = CASE WHEN q.ready_at > clock_timestamp() THEN 'waiting' ELSE 'ready' END
        FROM next WHERE q.event_id = next.event_id RETURNING q.ready_at
    )
    SELECT min(ready_at) INTO _ready_at FROM promoted;
    RETURN _ready_at;
END $$;

-- Finishes those events whose token is the newest: their ids, and when the next of their keys is due. It waits for
-- nobody, so that no deadlock is possible: an event whose key is being enqueued to at this moment is left for
-- events_complete_one. The caller announces after the commit what became due.
CREATE FUNCTION events_complete(_ids bigint[], _tokens bigint[], OUT done bigint[], OUT next_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
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
    SELECT coalesce(array_agg(event_id), '{}'),
           array_agg(tenant_id) FILTER (WHERE ordering_key IS NOT NULL),
           array_agg(ordering_key) FILTER (WHERE ordering_key IS NOT NULL)
    INTO done, _tenants, _keys FROM held;
    WITH gone AS (DELETE FROM queued_events WHERE event_id = ANY (done) RETURNING *)
    INSERT INTO finished_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority, attempt,
                                 created_at, lease_token, claimed_by, error)
    SELECT event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority, attempt, created_at,
           lease_token, claimed_by, error
    FROM gone;
    IF _keys IS NOT NULL THEN
        next_at := events_promote(_tenants, _keys);
    END IF;
END $$;

-- Finishes one event, after waiting for those who enqueue to its key. True as well for the second call of a
-- claim whose first reply was lost with its connection.
CREATE FUNCTION events_complete_one(_id bigint, _token bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _result record;
BEGIN
    PERFORM FROM queued_events WHERE event_id = _id AND lease_token = _token AND state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN EXISTS (SELECT FROM finished_events WHERE event_id = _id AND lease_token = _token);
    END IF;
    SELECT * INTO _result FROM events_complete(ARRAY[_id], ARRAY[_token]);
    IF _result.next_at IS NOT NULL THEN
        PERFORM events_announce(_result.next_at);
    END IF;
    RETURN _result.done = ARRAY[_id];
END $$;

-- Back to the queue for another attempt; the event keeps its place at the head of its ordering key.
CREATE FUNCTION events_retry(_id bigint, _token bigint, _error text, _after interval)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _ready_at timestamptz := clock_timestamp() + _after;
BEGIN
    UPDATE queued_events
    SET state = CASE WHEN _after > interval '0' THEN 'waiting' ELSE 'ready' END, ready_at = _ready_at,
        lease_until = NULL, error = _error
    WHERE event_id = _id AND lease_token = _token AND state = 'running';
    IF FOUND THEN
        PERFORM events_announce(_ready_at);
    END IF;
    RETURN FOUND;
END $$;

-- Takes an unfinished event out of the queue, keeps it with its error, and lets the next of its key run. The caller
-- must have locked it in an earlier statement.
CREATE FUNCTION events_bury(_id bigint, _error text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _dead queued_events;
    _next_at timestamptz;
BEGIN
    DELETE FROM queued_events WHERE event_id = _id RETURNING * INTO _dead;
    INSERT INTO failed_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, fair_key, priority, attempt,
                               created_at, lease_token, claimed_by, error)
    VALUES (_dead.event_id, _dead.tenant_id, _dead.kind, _dead.payload, _dead.dedupe_key, _dead.ordering_key,
            _dead.fair_key, _dead.priority, _dead.attempt, _dead.created_at, _dead.lease_token, _dead.claimed_by,
            _error);
    IF _dead.ordering_key IS NOT NULL AND _dead.state <> 'blocked' THEN
        _next_at := events_promote(ARRAY[_dead.tenant_id], ARRAY[_dead.ordering_key]);
        IF _next_at IS NOT NULL THEN
            PERFORM events_announce(_next_at);
        END IF;
    END IF;
END $$;

-- Failed for good.
CREATE FUNCTION events_fail(_id bigint, _token bigint, _error text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM queued_events WHERE event_id = _id AND lease_token = _token AND state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM events_bury(_id, _error);
    RETURN true;
END $$;

-- Ends an event that is not finished, whatever its state; a worker that has it is told to stop.
CREATE FUNCTION events_cancel(_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _event queued_events;
BEGIN
    LOOP
        SELECT * INTO _event FROM queued_events WHERE event_id = _id;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
        IF _event.state = 'blocked' THEN
            -- The head stays where it is until we commit, as for an enqueuer: who finishes it must not choose this one
            -- as the next, and then find it gone.
            PERFORM FROM queued_events
            WHERE tenant_id = _event.tenant_id AND ordering_key = _event.ordering_key
                AND state IN ('waiting', 'ready', 'running')
            FOR KEY SHARE;
        END IF;
        PERFORM FROM queued_events WHERE event_id = _id AND state = _event.state FOR UPDATE;
        EXIT WHEN FOUND;
    END LOOP;
    PERFORM events_bury(_id, 'cancelled');
    IF _event.state = 'running' THEN
        PERFORM pg_notify('athenaeum_events', 'cancel ' || _id);
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
CREATE FUNCTION events_release_unknown(_worker text, _known bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT events_release(array_agg(event_id), array_agg(lease_token)) FROM queued_events
            WHERE state = 'running' AND claimed_by = _worker AND event_id <> ALL (_known));
END $$;

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

-- Makes events whose lease ran out ready again; those that were claimed _attempts times already have failed. One row for
-- each.
CREATE FUNCTION events_rescue(_attempts integer)
RETURNS TABLE (event_id bigint, tenant_id uuid, kind text, failed boolean) LANGUAGE plpgsql AS $$
DECLARE
    _expired queued_events;
BEGIN
    FOR _expired IN
        SELECT q.* FROM queued_events q
        WHERE q.state = 'running' AND q.lease_until < statement_timestamp()
        FOR UPDATE SKIP LOCKED
    LOOP
        event_id := _expired.event_id;
        tenant_id := _expired.tenant_id;
        kind := _expired.kind;
        failed := _expired.attempt >= _attempts;
        IF failed THEN
            PERFORM events_fail(_expired.event_id, _expired.lease_token,
                                'the lease ran out ' || _expired.attempt || ' times, last with worker '
                                || _expired.claimed_by);
        ELSE
            PERFORM events_retry(_expired.event_id, _expired.lease_token,
                                 'the lease of worker ' || _expired.claimed_by || ' ran out', interval '0');
        END IF;
        RETURN NEXT;
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
                         _dead.ordering_key, _dead.fair_key, _dead.priority, clock_timestamp(), _dead.created_at);
    PERFORM events_announce(clock_timestamp());
    RETURN true;
END $$;

-- Enqueues what schedules have due, once for each moment, and tells how many. Moments that passed while nobody looked,
-- or while the event of an earlier one still waits, count as one.
CREATE FUNCTION events_tick() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    _due event_schedules;
    _enqueued integer := 0;
BEGIN
    FOR _due IN SELECT * FROM event_schedules WHERE next_at <= clock_timestamp() FOR UPDATE SKIP LOCKED LOOP
        IF NOT EXISTS (SELECT FROM queued_events
                       WHERE tenant_id = _due.tenant_id AND ordering_key = 'schedule:' || _due.name
                           AND state <> 'running') THEN
            PERFORM events_enqueue(_due.tenant_id, _due.kind, _due.payload, NULL, 'schedule:' || _due.name, NULL,
                                   _due.priority, interval '0');
            _enqueued := _enqueued + 1;
        END IF;
        UPDATE event_schedules
        SET next_at = next_at + every * (1 + floor(extract(epoch FROM clock_timestamp() - next_at)
                                                   / extract(epoch FROM every)))
        WHERE tenant_id = _due.tenant_id AND name = _due.name;
    END LOOP;
    IF _enqueued > 0 THEN
        PERFORM events_announce(clock_timestamp());
    END IF;
    RETURN _enqueued;
END $$;

-- What acts for all tenants runs as the engine's role, whoever calls it: a connection then needs no state of its own,
-- and may be shared by a pooler. Sessions cache plans: one that was made while the table was empty must not read or
-- sort all of it when it is long; and to plan anew for the values of each call takes longer than a claim.
GRANT CREATE ON SCHEMA {schema} TO {engine};
DO $$
DECLARE
    _function regprocedure;
    _setting text;
BEGIN
    FOR _function IN
        SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = '{schema}'::regnamespace
            AND proname IN ('events_place', 'events_tag', 'events_claim', 'events_claim_one', 'events_complete',
                            'events_complete_one', 'events_retry', 'events_fail', 'events_cancel', 'events_release',
                            'events_release_unknown', 'events_extend', 'events_rescue')
    LOOP
        FOREACH _setting IN ARRAY ARRAY['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'enable_hashjoin',
                                        'enable_mergejoin'] LOOP
            EXECUTE format('ALTER FUNCTION %s SET %I = off', _function, _setting);
        END LOOP;
        EXECUTE format('ALTER FUNCTION %s SET plan_cache_mode = force_generic_plan', _function);
    END LOOP;
    FOR _function IN
        SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = '{schema}'::regnamespace
            AND proname IN ('events_claim', 'events_claim_one', 'events_complete', 'events_complete_one',
                            'events_retry', 'events_fail', 'events_cancel', 'events_release',
                            'events_release_unknown', 'events_extend', 'events_rescue', 'events_revive',
                            'events_tick')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = {schema}, pg_temp', _function);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', _function);
        EXECUTE format('ALTER FUNCTION %s OWNER TO {engine}', _function);
        -- As its owner: what was granted before went to the owner with the rest.
        SET LOCAL ROLE {engine};
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO SESSION_USER', _function);
        RESET ROLE;
    END LOOP;
END $$;
REVOKE CREATE ON SCHEMA {schema} FROM {engine};
