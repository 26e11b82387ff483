"""Faults on the way from a question to its one answer."""

from __future__ import annotations

from support.faults.fault import Fault

_LEDGER = "athenaeum/conversations/turns/ledger.py"
_INTENTS = "athenaeum/worker/delivery/intents.py"
_TURNS = "tests/integration/conversations/test_turns.py"
_DELIVERY = "tests/integration/worker/delivery"
_POSTING = f"{_DELIVERY}/test_posting.py"

TURNS = (
    Fault(
        "Slack is told that an event was taken before it is stored",
        "athenaeum/gateway/socket_mode.py",
        """
         if request.type in {"events_api", "interactive"}:
-            receipt = await self._listener.receive(request.payload, transport="socket")
-            if receipt is Receipt.AWAY:
-                return  # Slack sends an event again, and tells who clicked that it did not work
+            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
+            await self._listener.receive(request.payload, transport="socket")
+            return
         shown = await self._listener.answer(request.payload, transport="socket") if request.type == COMMAND else {}
""",
        found_by="tests/integration/gateway/test_socket_mode.py"
        "::test_what_a_locked_database_cannot_store_is_delivered_again",
        storm="tests/chaos/test_gateway_kills.py::test_a_killed_gateway_loses_no_question_and_repeats_none"
        "[in the middle of its transaction]",
    ),
    Fault(
        "an answer is saved by a worker that has lost the turn",
        _LEDGER,
        """
-        .where(_ROW.turn_id == turn, _ROW.fence == token, _ROW.answer.is_(None), _ROW.finished_at.is_(None))
+        .where(_ROW.turn_id == turn, _ROW.answer.is_(None), _ROW.finished_at.is_(None))
         .values(answer=to_json(answer), answered_at=None if apology else func.now(), state="answered")
""",
        found_by=f"{_TURNS}::test_an_older_token_saves_and_ends_nothing",
    ),
    Fault(
        "a second answer takes the place of the first",
        _LEDGER,
        """
-        .where(_ROW.turn_id == turn, _ROW.fence == token, _ROW.answer.is_(None), _ROW.finished_at.is_(None))
+        .where(_ROW.turn_id == turn, _ROW.fence == token, _ROW.finished_at.is_(None))
         .values(answer=to_json(answer), answered_at=None if apology else func.now(), state="answered")
""",
        found_by=f"{_TURNS}::test_the_first_answer_is_kept",
    ),
    Fault(
        "an older claim that comes late takes the turn back",
        _LEDGER,
        """
-        .where(_ROW.turn_id == turn, _ROW.fence <= token, or_(_ROW.finished_at.is_(None), again))
+        .where(_ROW.turn_id == turn, or_(_ROW.finished_at.is_(None), again))
""",
        found_by=f"{_DELIVERY}/test_turn.py::test_an_older_claim_that_comes_late_takes_nothing",
    ),
    Fault(
        "a worker that has lost the turn may still post",
        _INTENTS,
        """
-        .where(_is(turn, part), _ROW.ts.is_(None), free, holds)
+        .where(_is(turn, part), _ROW.ts.is_(None), free)
""",
        found_by=f"{_POSTING}::test_an_older_token_posts_nothing",
    ),
    Fault(
        "two may have the right to post at the same time",
        _INTENTS,
        """
-        .where(_is(turn, part), _ROW.ts.is_(None), free, holds)
+        .where(_is(turn, part), _ROW.ts.is_(None), holds)
""",
        found_by=f"{_POSTING}::test_two_posters_make_one_message",
    ),
    Fault(
        "of two posts the last that is recorded counts",
        _INTENTS,
        """
-        .where(_is(turn, intent.part), _ROW.ts.is_(None), _ROW.generation == intent.generation)
+        .where(_is(turn, intent.part), _ROW.generation == intent.generation)
         .values(ts=ts, posted_at=func.now(), posting_until=None)
""",
        found_by=f"{_POSTING}::test_the_first_recorded_ts_counts",
    ),
    Fault(
        "on doubt a message is posted again without a look at the thread",
        "athenaeum/worker/delivery/posting.py",
        """
         if intent.attempts > 1:
-            if found := await self._read_back(intent):
-                return await self._settle(intent, found)
             leased_at = monotonic()
""",
        found_by=f"{_POSTING}::test_a_post_whose_response_was_lost_is_adopted_from_the_thread",
    ),
    Fault(
        "an answer is shown before it is saved",
        "athenaeum/worker/handlers/turn.py",
        """
                 found = await self._agent.answer(question, fence=token, progress=feed.show if feed else _unseen)
                 watched.cancel()
+                if isinstance(found, Answer):
+                    await self._delivery.deliver(turn, token, found)
                 async with self._database.session(turn.tenant) as session:
""",
        found_by=f"{_DELIVERY}/test_crashes.py"
        "::test_a_worker_that_dies_has_shown_nothing_that_its_heir_could_answer_otherwise",
    ),
    Fault(
        "the answer is sent without asking who has the turn by now",
        "athenaeum/worker/delivery/showing.py",
        """
         while True:
-            await self._thread.check()
             try:
""",
        found_by=f"{_DELIVERY}/test_showing.py::test_a_worker_that_lost_the_turn_shows_its_answer_no_more",
    ),
    Fault(
        "a finished step is made again",
        "athenaeum/agent/journal.py",
        """
-        if recorded is not None and recorded.inputs == step.inputs:
+        if recorded is not None and recorded.once and recorded.inputs == step.inputs:
""",
        found_by="tests/integration/agent/test_replay.py"
        "::test_from_every_stop_the_turn_goes_on_as_it_went_the_first_time[two searches at once]",
    ),
)
