"""Bringing the parts of an answer before their reader: the placeholder becomes the first of them."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from athenaeum.errors import Misconfigured, Refused
from athenaeum.slack.errors import Ambiguous, ContentRefused, MessageGone, RateLimited
from athenaeum.worker.delivery import intents
from athenaeum.worker.delivery.content import MAX_UPDATE_TEXT
from athenaeum.worker.delivery.correction import overwrite
from athenaeum.worker.delivery.posting import Posting

if TYPE_CHECKING:
    from athenaeum.domain.identity import MessageTs
    from athenaeum.worker.delivery.content import Content
    from athenaeum.worker.delivery.thread import Thread

log = structlog.get_logger(__name__)

_MAX_GENERATION = 2


class Showing:
    """Shows the parts of one turn's answer, for the holder of the turn."""

    def __init__(self, thread: Thread) -> None:
        """Parts are posted and edited under the thread's token."""
        self._thread = thread
        self._posting = Posting(thread)

    async def show(self, part: int, content: Content) -> None:
        """Make sure that the part's one message shows exactly this content."""
        try:
            await self._show(part, content)
        except ContentRefused as error:
            plainer = content.plainer(error)
            log.warning("delivery.plainer", turn_id=str(self._thread.turn.id), part=part, error=error.code)
            await self.show(part, plainer)

    async def sweep(self) -> None:
        """Delete what a poster left that was stopped between its post and the record of it."""
        async with self._thread.session() as session:
            known = {intent.part: intent for intent in await intents.read_all(session, self._thread.turn)}
        if all(intent.attempts <= 1 and intent.generation == 0 for intent in known.values()):
            return
        try:
            async for mark in self._thread.marks():
                intent = known.get(mark.part)
                if intent is not None and intent.ts is not None and mark.ts != intent.ts:
                    log.warning("delivery.leftover_removed", turn_id=str(self._thread.turn.id), part=mark.part)
                    await self._thread.remove(mark.ts)
        except (Refused, Misconfigured) as error:  # without the right to read the thread: the answer stands there
            log.warning("delivery.not_swept", turn_id=str(self._thread.turn.id), error=str(error))

    async def _show(self, part: int, content: Content) -> None:
        posted = await self._posting.ensure(part, content)
        if part > 0 or posted.fresh:
            return
        if len(content.text) > MAX_UPDATE_TEXT:
            await self._repost(posted.ts, content)
            return
        try:
            await self._update(posted.ts, content)
        except MessageGone:
            await self._repost(posted.ts, content)

    async def _repost(self, ts: MessageTs, content: Content) -> None:
        """Post anew in place of a message that can't become this one; who keeps deleting it means it."""
        await self._thread.remove(ts)
        async with self._thread.session() as session:
            intent = await intents.read(session, self._thread.turn, 0)
            if intent is None or intent.ts != ts or intent.generation >= _MAX_GENERATION:
                return
            await intents.renew(session, self._thread.turn, intent)
        log.info("delivery.posted_anew", turn_id=str(self._thread.turn.id))
        posted = await self._posting.ensure(0, content)
        if not posted.fresh:
            await self._update(posted.ts, content)

    async def _update(self, ts: MessageTs, content: Content) -> None:
        """chat.update until Slack has it: repeating it shows nothing twice."""
        timing = self._thread.timing
        deadline = monotonic() + timing.patience.total_seconds()
        missed = False
        while True:
            await self._thread.check()
            try:
                await overwrite(self._thread, ts, content)
            except (Ambiguous, RateLimited) as error:
                pause = (error.after or timing.backoff).total_seconds()
                if monotonic() + pause > deadline:
                    raise
                log.info("delivery.update_repeats", turn_id=str(self._thread.turn.id), error=error.code)
                await asyncio.sleep(pause)
            except MessageGone as error:
                if missed or error.code != "message_not_found":
                    raise
                missed = True  # Slack may not have heard yet of what it has posted itself
                await asyncio.sleep(timing.backoff.total_seconds())
            else:
                return
