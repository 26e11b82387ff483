"""Faults of the worker: its claims, its leases, its drain, and the last attempt."""

from __future__ import annotations

from support.faults.fault import Fault

_POOL = "tests/integration/worker/test_pool.py"

WORKER = (
    Fault(
        "a lost lease does not stop its handler",
        "athenaeum/worker/lease.py",
        """
         lease = self.held.get(event.id)
         self.drop(event)
-        if lease is not None and lease.event.token == event.token:
-            lease.revoke()
""",
        found_by=f"{_POOL}::test_a_lost_lease_cancels_its_handler_and_no_other",
    ),
    Fault(
        "SIGTERM leaves unfinished work to its lease",
        "athenaeum/worker/executor.py",
        """
-                    released = await queue.release(self._outcomes.link, unfinished)
+                    released = frozenset()
""",
        found_by=f"{_POOL}::test_what_does_not_finish_in_time_is_handed_back_uncounted",
        storm="tests/chaos/test_rolling.py::test_unfinished_work_is_handed_on_within_a_second",
    ),
    Fault(
        "a claim whose reply was lost stays with a worker that knows nothing of it",
        "athenaeum/worker/claims.py",
        """
         except FAULTS as error:
-            self._unheard = True
             again_in = self._backoff.next()
""",
        found_by=f"{_POOL}::test_a_pool_hands_back_what_it_claimed_when_the_reply_is_lost",
    ),
    Fault(
        "nobody is told of the event whose workers all died",
        "athenaeum/worker/rescue.py",
        """
-        found = (await session.execute(_RESCUE, {"attempts": max_retries + 2}))
+        found = (await session.execute(_RESCUE, {"attempts": max_retries + 1}))
""",
        found_by=f"{_POOL}::test_an_event_whose_workers_all_died_is_handed_out_once_more_to_be_given_up",
    ),
    Fault(
        "nobody is told of the event that failed for good",
        "athenaeum/worker/dispatch.py",
        """
-            if isinstance(decide(error, attempt=event.attempt, max_retries=self._max_retries), Fail):
-                await self._give_up(handler, event, error)
             raise
""",
        found_by="tests/unit/worker/test_dispatch.py::test_the_handler_gives_up_when_the_queue_will",
    ),
)
