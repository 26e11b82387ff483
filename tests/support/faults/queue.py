"""Faults of the queue, in its SQL and in what calls it."""

from __future__ import annotations

from support.faults.fault import Fault

_TABLES = "athenaeum/database/migrations/versions/0002_queue.sql"
_FUNCTIONS = "athenaeum/database/migrations/versions/0006_queue_strength.sql"
_QUEUE = "tests/integration/events/test_queue.py"
_ORDERING = "tests/integration/events/test_ordering.py"
_PRODUCER = "tests/integration/events/test_producer.py"
_STORMS = "tests/chaos/test_storms.py"

QUEUE = (
    Fault(
        "an event is completed by whoever once had it",
        _FUNCTIONS,
        """
-        WHERE q.lease_token = asked.token AND q.state = 'running'
+        WHERE q.state = 'running'
         FOR UPDATE OF q SKIP LOCKED
""",
        found_by=f"{_QUEUE}::test_a_stale_token_changes_nothing_and_is_told_so[complete-direct]",
    ),
    Fault(
        "a worker that lost its lease extends that of its heir",
        _FUNCTIONS,
        """
         UPDATE queued_events q SET lease_until = clock_timestamp() + _lease
         FROM unnest(_ids, _tokens) AS asked (id, token)
-        WHERE q.event_id = asked.id AND q.lease_token = asked.token AND q.state = 'running'
+        WHERE q.event_id = asked.id AND q.state = 'running'
""",
        found_by=f"{_QUEUE}::test_a_stale_token_changes_nothing_and_is_told_so[extend-direct]",
    ),
    Fault(
        "the dedupe key is dropped",
        _FUNCTIONS,
        """
-    IF _dedupe_key IS NOT NULL THEN
+    IF false THEN
         INSERT INTO event_keys
""",
        found_by=f"{_PRODUCER}::test_the_same_dedupe_key_is_kept_once",
    ),
    Fault(
        "the dedupe key is looked for, and then written down",
        _FUNCTIONS,
        """
-        INSERT INTO event_keys (tenant_id, dedupe_key, remembered_from) VALUES (_tenant, _dedupe_key, _now + _delay)
-        ON CONFLICT DO NOTHING;
-        IF NOT FOUND THEN
+        IF EXISTS (SELECT FROM event_keys WHERE tenant_id = _tenant AND dedupe_key = _dedupe_key) THEN
             RETURN NULL;
         END IF;
+        INSERT INTO event_keys (tenant_id, dedupe_key, remembered_from) VALUES (_tenant, _dedupe_key, _now + _delay);
""",
        found_by=f"{_PRODUCER}::test_of_many_that_enqueue_the_same_key_at_once_one_succeeds",
    ),
    Fault(
        "the order of a key is looked at, and not held by the index",
        _FUNCTIONS,
        """
-CREATE UNIQUE INDEX queued_events_head ON queued_events (tenant_id, ordering_key)
+CREATE INDEX queued_events_head ON queued_events (tenant_id, ordering_key)
@@
-        VALUES (_id, _tenant, _kind, _payload, _dedupe_key, _ordering_key, _fair_key, _priority, _tag,
-                CASE WHEN _ready_at > clock_timestamp() THEN 'waiting' ELSE 'ready' END, _ready_at, _created_at)
-        ON CONFLICT (tenant_id, ordering_key)
-            WHERE state IN ('waiting', 'ready', 'running') AND ordering_key IS NOT NULL
-        DO NOTHING;
+        SELECT _id, _tenant, _kind, _payload, _dedupe_key, _ordering_key, _fair_key, _priority, _tag,
+               CASE WHEN _ready_at > clock_timestamp() THEN 'waiting' ELSE 'ready' END, _ready_at, _created_at
+        WHERE NOT EXISTS (SELECT FROM queued_events
+                          WHERE tenant_id = _tenant AND ordering_key = _ordering_key AND state <> 'blocked');
         IF FOUND THEN
""",
        found_by=f"{_ORDERING}::test_of_two_that_arrive_at_a_free_key_at_the_same_time_one_waits",
    ),
    Fault(
        "the head of a key may leave while its follower arrives",
        _FUNCTIONS,
        """
         -- The head stays where it is until we commit: whoever finishes it then sees our row and wakes it.
         PERFORM FROM queued_events
-        WHERE tenant_id = _tenant AND ordering_key = _ordering_key AND state IN ('waiting', 'ready', 'running')
-        FOR KEY SHARE;
+        WHERE tenant_id = _tenant AND ordering_key = _ordering_key AND state IN ('waiting', 'ready', 'running');
""",
        found_by=f"{_ORDERING}::test_no_wake_up_is_lost_when_the_head_leaves_while_its_follower_arrives",
    ),
    Fault(
        "two claims at once take the same event",
        _FUNCTIONS,
        """
-                LIMIT g.share FOR NO KEY UPDATE SKIP LOCKED) d
+                LIMIT g.share) d
""",
        found_by=f"{_QUEUE}::test_claims_at_the_same_time_share_no_event",
    ),
    Fault(
        "a newer claim may have a smaller token, since each connection has a store of its own",
        _TABLES,
        """
-CREATE SEQUENCE lease_tokens CACHE 1;
+CREATE SEQUENCE lease_tokens CACHE 100;
""",
        found_by=f"{_QUEUE}::test_tokens_grow_with_every_claim_whichever_connection_makes_it",
    ),
    Fault(
        "a batch of completions waits for one lock while it holds others",
        _FUNCTIONS,
        """
-        FOR UPDATE OF q SKIP LOCKED
+        FOR UPDATE OF q
""",
        found_by=f"{_ORDERING}::test_a_batch_of_completions_cannot_deadlock_with_who_enqueues_to_two_of_its_keys",
    ),
    Fault(
        "an event that is done does not wake the next of its key",
        _FUNCTIONS,
        """
-    IF _keys IS NOT NULL THEN
+    IF cardinality(_keys) > 1 THEN
         next_at := events_promote(_tenants, _keys);
""",
        found_by=f"{_ORDERING}::test_one_event_of_a_key_runs_at_a_time_in_order_of_arrival",
        storm=_STORMS,
    ),
    Fault(
        "an event that failed keeps its key to itself",
        _FUNCTIONS,
        """
-    IF _dead.ordering_key IS NOT NULL AND _dead.state <> 'blocked' THEN
+    IF _dead.ordering_key IS NOT NULL AND _dead.state = 'ready' THEN
""",
        found_by=f"{_ORDERING}::test_a_failed_head_frees_its_key",
    ),
    Fault(
        "the events of dead workers are left to them",
        _FUNCTIONS,
        """
-        WHERE q.state = 'running' AND q.lease_until < statement_timestamp()
+        WHERE q.state = 'running' AND q.lease_until < statement_timestamp() - interval '1 hour'
""",
        found_by=f"{_QUEUE}::test_an_event_whose_lease_ran_out_is_claimed_again",
        storm=_STORMS,
    ),
    Fault(
        "the event that used up its attempts is rescued no more, and nobody is told",
        _FUNCTIONS,
        """
-        WHERE q.state = 'running' AND q.lease_until < statement_timestamp()
+        WHERE q.state = 'running' AND q.lease_until < statement_timestamp() AND q.attempt < _attempts
""",
        found_by=f"{_QUEUE}::test_an_event_that_kills_every_worker_fails_in_the_end",
    ),
    Fault(
        "nobody is told of a new event, so that only the slow poll finds it",
        "athenaeum/events/producer.py",
        """
         return None
-    notify(session, CHANNEL, due_in(event.delay))
     return EventId(event_id)
""",
        found_by="tests/integration/events/test_wakeup.py::test_a_commit_wakes_listeners_and_a_rollback_does_not",
    ),
)
