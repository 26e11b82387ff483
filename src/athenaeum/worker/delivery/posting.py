"""The posting protocol: a message that is to be seen once is posted once, whoever crashes and whatever is lost.

1. The intent is written down, then the right to post is leased under the fence.
2. After an attempt whose effect is unknown the thread is read back, and a message of ours found there is adopted.
3. The post carries a deterministic `client_msg_id` and metadata, so that Slack or a later reader knows it again.
4. Its `ts` is recorded by compare-and-set; who loses deletes the message it made too many.
5. Who waits for another's right to post looks at the thread meanwhile. A message found there can be adopted at any
   time, whether its poster lives or not: both record the same `ts`. To post, the right must have run out.

It holds also where the server ignores `client_msg_id`: the metadata alone then carries it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from athenaeum.conversations import turns
from athenaeum.errors import Misconfigured, Refused, RetryLater
from athenaeum.slack.errors import Ambiguous, ContentRefused, Duplicate, RateLimited, SlackFailure
from athenaeum.worker.delivery import intents
from athenaeum.worker.delivery.conclusion import conclude

if TYPE_CHECKING:
    from athenaeum.domain.identity import MessageTs
    from athenaeum.worker.delivery.content import Content
    from athenaeum.worker.delivery.intents import Intent
    from athenaeum.worker.delivery.thread import Thread

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that stands in the thread; `fresh` when this call posted it with this very content."""

    ts: MessageTs
    fresh: bool
    generation: int = 0


class Posting:
    """Makes sure of the messages of one thread; one instance is one poster."""

    def __init__(self, thread: Thread) -> None:
        """Posts are made under the thread's token."""
        self._thread = thread
        self._poster = uuid4()

    async def ensure(self, part: int, content: Content) -> Posted:
        """Give the part's message, posted now if it wasn't.

        Raises:
            LeaseLost: The turn has a newer holder.
            RetryLater: Slack did not take the message within the patience.
            Refused: It never will, in this form or at this place.
        """
        timing = self._thread.timing
        deadline = monotonic() + timing.patience.total_seconds()
        glances = _Glances(timing.glance)
        async with self._thread.session() as session:
            await intents.declare(session, self._thread.turn, part)
        while True:
            leased_at = monotonic()
            intent, leased = await self._claim(part)
            if intent.ts is not None:
                return Posted(intent.ts, fresh=False)
            if not leased:
                if glances.due() and (posted := await self._adopt(intent)):
                    return posted
                await _sleep(timing.poll, deadline, RetryLater("another worker is posting this message"))
                continue
            try:
                posted = await self._attempt(intent, content, leased_at)
            except (Ambiguous, RateLimited, Duplicate) as error:
                log.info("delivery.post_repeats", turn_id=str(self._thread.turn.id), part=part, error=error.code)
                await _sleep(error.after or timing.backoff, deadline, error)
            else:
                if posted is not None:
                    return posted

    async def place(self, part: int, content: Content) -> Posted:
        """`ensure`, more plainly where Slack doesn't take the blocks."""
        try:
            return await self.ensure(part, content)
        except ContentRefused as error:
            return await self.place(part, content.plainer(error))

    async def withdraw(self, part: int) -> None:
        """Make sure that the part's declared message does not stand, and that nobody posts it any more.

        Raises:
            LeaseLost: The turn has a newer holder.
            RetryLater: Somebody had the right to post for longer than the patience.
        """
        timing = self._thread.timing
        deadline = monotonic() + timing.patience.total_seconds()
        while True:
            intent, leased = await self._claim(part)
            ts = intent.ts
            if ts is None and leased and intent.attempts > 1:
                ts = await self._read_back(intent)
            if ts is not None:
                await self._thread.remove(ts)
            if ts is not None or leased:
                return
            await _sleep(timing.poll, deadline, RetryLater("another worker is posting this message"))

    async def _find(self, intent: Intent) -> MessageTs | None:
        """Look for the message in the thread, as often as it takes to believe that it isn't there."""
        for pause in self._thread.timing.read_back:
            await asyncio.sleep(pause.total_seconds())
            if found := await self._look(intent):
                return found
        return None

    async def _look(self, intent: Intent) -> MessageTs | None:
        async for mark in self._thread.marks():
            if (mark.part, mark.generation) == (intent.part, intent.generation):
                return mark.ts
        return None

    async def _adopt(self, intent: Intent) -> Posted | None:
        """Record what another poster may have posted without living to record it."""
        try:
            found = await self._look(intent)
        except SlackFailure as error:  # the right to post runs out in any case
            log.info("delivery.glance_failed", turn_id=str(self._thread.turn.id), error=error.code)
            return None
        return await self._settle(intent, found) if found else None

    async def _claim(self, part: int) -> tuple[Intent, bool]:
        thread = self._thread
        async with thread.session() as session:
            leased = await intents.lease(
                session, thread.turn, part, poster=self._poster, token=thread.token, lasting=thread.timing.lease
            )
            if leased is not None:
                return leased, True
            standing = await intents.read(session, thread.turn, part)
            if standing is None or standing.ts is None:
                await turns.check(session, thread.turn.id, thread.token)
            assert standing is not None  # declared before, and rows go only with their turn
            return standing, False

    async def _attempt(self, intent: Intent, content: Content, leased_at: float) -> Posted | None:
        """One attempt under the lease; None when there is a reason to look at the row again."""
        if intent.attempts > 1:
            if found := await self._read_back(intent):
                return await self._settle(intent, found)
            leased_at = monotonic()
            if not await self._prolong(intent):
                return None
        if monotonic() - leased_at > self._thread.timing.window.total_seconds():
            return None  # this process stood still: what it sends now could arrive after its right has run out
        # cancelled or not: what stands must be recorded or removed
        return await conclude(self._post(intent, content))

    async def _post(self, intent: Intent, content: Content) -> Posted | None:
        try:
            ts = await self._thread.post(content, part=intent.part, generation=intent.generation)
        except Ambiguous:
            # A poster that loses its turn now comes back no more: the next one is to look, not to wait for the lease.
            async with self._thread.session() as session:
                await intents.hand_over(
                    session, self._thread.turn, intent.part, poster=self._poster, pause=self._thread.timing.backoff
                )
            raise
        except Duplicate:
            if found := await self._read_back(intent):
                return await self._settle(intent, found)
            # Slack knows the id and the thread doesn't show it: somebody deleted the message.
            async with self._thread.session() as session:
                await intents.renew(session, self._thread.turn, intent)
            raise
        except SlackFailure as error:
            await self._undo(intent, error)
            raise
        return await self._settle(intent, ts, fresh=True)

    async def _read_back(self, intent: Intent) -> MessageTs | None:
        try:
            return await self._find(intent)
        except (Refused, Misconfigured) as error:
            # Without the right to read, Slack's own check of client_msg_id is what is left.
            log.warning("delivery.thread_unreadable", turn_id=str(self._thread.turn.id), error=str(error))
            return None

    async def _prolong(self, intent: Intent) -> bool:
        thread = self._thread
        async with thread.session() as session:
            return await intents.prolong(
                session, thread.turn, intent.part, poster=self._poster, lasting=thread.timing.lease
            )

    async def _undo(self, intent: Intent, error: SlackFailure) -> None:
        pause = error.after if isinstance(error, RateLimited) and error.after else timedelta(0)
        async with self._thread.session() as session:
            await intents.undo(session, self._thread.turn, intent.part, poster=self._poster, pause=pause)

    async def _settle(self, intent: Intent, ts: MessageTs, *, fresh: bool = False) -> Posted | None:
        async with self._thread.session() as session:
            counts = await intents.record(session, self._thread.turn, intent, ts)
        if counts == ts:
            return Posted(ts, fresh=fresh, generation=intent.generation)
        log.warning("delivery.post_withdrawn", turn_id=str(self._thread.turn.id), part=intent.part)
        await self._thread.remove(ts)
        return None if counts is None else Posted(counts, fresh=False)


class _Glances:
    """When to look at the thread while another poster has the right: each time after twice as long."""

    def __init__(self, first: timedelta) -> None:
        self._pause = first.total_seconds()
        self._next = monotonic() + self._pause

    def due(self) -> bool:
        """Whether it is time; the next time begins then."""
        if monotonic() < self._next:
            return False
        self._pause *= 2
        self._next = monotonic() + self._pause
        return True


async def _sleep(pause: timedelta, deadline: float, error: RetryLater) -> None:
    if monotonic() + pause.total_seconds() > deadline:
        raise error
    await asyncio.sleep(pause.total_seconds())
