"""Progress: the placeholder tells what is being done, and the text grows in it.

The newest state wins, older ones are skipped. Progress is cosmetic: it gives way to limits and to the answer,
and its failures are nobody's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from athenaeum.domain.turn import Answer, StepStarted
from athenaeum.slack.errors import (
    Ambiguous,
    CallRefused,
    ContentRefused,
    MessageGone,
    MissingScope,
    RateLimited,
    SlackFailure,
)
from athenaeum.slack.formatting import render
from athenaeum.tenants import register
from athenaeum.worker.delivery.content import PLACEHOLDER, Content, unlabelled
from athenaeum.worker.delivery.correction import overwrite
from athenaeum.worker.delivery.growth import Growth
from athenaeum.worker.delivery.posting import Posting

if TYPE_CHECKING:
    from athenaeum.domain.identity import MessageTs
    from athenaeum.domain.turn import Progress
    from athenaeum.worker.delivery.posting import Posted
    from athenaeum.worker.delivery.thread import Thread

log = structlog.get_logger(__name__)


class ProgressFeed:
    """One turn's placeholder while the agent works: `run` it beside the agent, `show` from it, `close` at the end."""

    def __init__(self, thread: Thread) -> None:
        """Every update is made under the thread's token."""
        self._thread = thread
        self._newest: Progress | None = None
        self._stirred = asyncio.Event()
        self._closed = asyncio.Event()
        self._plainly = False
        self.doubtful = False
        """Whether an update ended without an answer, so that Slack may still carry it out."""

    async def show(self, progress: Progress) -> None:
        """Note the newest state; returns at once."""
        self._newest = progress
        self._stirred.set()

    def close(self) -> None:
        """No more progress: `run` returns when what is under way has ended."""
        self._closed.set()
        self._stirred.set()

    async def run(self) -> None:
        """Post the placeholder and keep it up to date until closed.

        Raises:
            LeaseLost: The turn has a newer holder.
            Refused: Nothing can be shown in this conversation.
            Misconfigured: The token doesn't work.
        """
        try:
            posted = await self._grow() or await Posting(self._thread).place(
                0, PLACEHOLDER.stoppable(self._thread.turn.id)
            )
        except (Ambiguous, RateLimited) as error:
            log.warning("delivery.placeholder_failed", turn_id=str(self._thread.turn.id), error=error.code)
            return
        if self._thread.turn.repeats and not posted.fresh:
            await self._update(posted.ts, PLACEHOLDER)  # in place of the apology
        while not self._closed.is_set():
            await self._stirred.wait()
            if self._newest is not None and not self._closed.is_set() and self._thread.slack.limits.spare_update():
                self._stirred.clear()
                if not await self._update(posted.ts, _content(self._newest)):
                    return
            await self._pause()

    async def _grow(self) -> Posted | None:
        """Stream what there is to show until the stream ends; None where nothing is streamed."""
        async with self._thread.session() as session:
            team = await register.native_team(session)
        if team is None:
            return None
        try:
            posted = await Posting(self._thread).ensure(0, PLACEHOLDER.streamed(team))
        except (CallRefused, MissingScope, ContentRefused) as error:
            log.info("delivery.not_streamed", turn_id=str(self._thread.turn.id), error=error.code)
            return None
        if not posted.fresh:
            return posted  # what stands there began before: it is gone on with by updates
        growth = Growth(self._thread, posted, first=PLACEHOLDER.text)
        if await self._follow(growth) and self._newest is not None:
            self._stirred.set()
        await growth.end()
        return posted

    async def _follow(self, growth: Growth) -> bool:
        """Show in a stream what comes; True when there is more to show than it takes."""
        while not self._closed.is_set():
            try:
                async with asyncio.timeout(growth.left):
                    await self._stirred.wait()
            except TimeoutError:
                return True
            if self._newest is not None and not self._closed.is_set() and self._thread.slack.limits.spare_append():
                self._stirred.clear()
                if not await growth.show(self._newest):
                    return True
            await self._pause()
        return False

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._thread.timing.progress.total_seconds()):
                await self._closed.wait()
        except TimeoutError:
            return

    async def _update(self, ts: MessageTs, content: Content) -> bool:
        """Show the content; False when there is no more use in progress."""
        await self._thread.check()
        shown = content.without_blocks() if self._plainly else content.stoppable(self._thread.turn.id)
        try:
            await overwrite(self._thread, ts, shown)
        except MessageGone:
            return False
        except SlackFailure as error:
            self.doubtful = self.doubtful or isinstance(error, Ambiguous)
            self._plainly = self._plainly or isinstance(error, ContentRefused)
            log.info("delivery.progress_skipped", turn_id=str(self._thread.turn.id), error=error.code)
        return True


def _content(progress: Progress) -> Content:
    if isinstance(progress, StepStarted):
        return Content(progress.label)
    grown = unlabelled(progress.text).strip()
    return Content.of(render(Answer(grown))[0]) if grown else PLACEHOLDER
