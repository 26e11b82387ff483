-- What 0006 made, unmade. Schedules and limits are lost.

DROP FUNCTION events_tick, events_revive, events_rescue, events_extend, events_release_unknown, events_release,
    events_cancel, events_fail, events_bury, events_retry, events_complete_one, events_complete, events_promote,
    events_claim_one, events_claim, events_groups, events_free, events_enqueue_many, events_fill, events_enqueue,
    events_place, events_tag, events_announce;
DROP TABLE event_schedules, event_limits;
DROP INDEX queued_events_ready, queued_events_waiting, queued_events_flow, queued_events_head;
UPDATE queued_events SET state = 'ready' WHERE state = 'waiting';
ALTER TABLE queued_events
    DROP CONSTRAINT queued_events_state_check,
    ADD CONSTRAINT queued_events_state_check CHECK (state IN ('ready', 'blocked', 'running')),
    DROP COLUMN rank,
    DROP COLUMN fair_key,
    DROP COLUMN tag;
ALTER TABLE failed_events DROP COLUMN fair_key;
CREATE INDEX queued_events_ready ON queued_events (priority DESC, ready_at, event_id) WHERE state = 'ready';
CREATE UNIQUE INDEX queued_events_head ON queued_events (tenant_id, ordering_key)
    WHERE state IN ('ready', 'running') AND ordering_key IS NOT NULL;
