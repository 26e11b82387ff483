"""A placeholder that grows by Slack's own streaming, for as long as that goes well.

A stream only adds. It is shown what will stand in the answer anyway, as far as that is certain; the answer itself
is an update of the same message, which has a stream's text no more than a placeholder's. So whatever happens to the
stream, the message goes on by updates, and nothing of the promise rests on it.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import structlog

from athenaeum.domain.turn import Answer, StepStarted
from athenaeum.slack.chunks import task, words
from athenaeum.slack.errors import SlackFailure
from athenaeum.slack.formatting import render
from athenaeum.slack.formatting.growing import settled
from athenaeum.worker.delivery.content import unlabelled

if TYPE_CHECKING:
    from athenaeum.domain.turn import Progress
    from athenaeum.slack.chunks import Chunk
    from athenaeum.worker.delivery.posting import Posted
    from athenaeum.worker.delivery.thread import Thread

log = structlog.get_logger(__name__)


class Growth:
    """One message from its start as a stream to its end as one."""

    def __init__(self, thread: Thread, started: Posted, *, first: str) -> None:
        """`first` is what the first task, with which the stream began, says."""
        self._thread = thread
        self._ts = started.ts
        self._name = thread.mark(0, started.generation)
        self._ends = monotonic() + thread.timing.stream.total_seconds()
        self._task: tuple[str, str] | None = (self._name, first)
        self._tasks = 0
        self._shown = ""

    @property
    def left(self) -> float:
        """For how many seconds it goes on yet."""
        return max(0.0, self._ends - monotonic())

    async def show(self, progress: Progress) -> bool:
        """Add what is new; False when the message is to go on by updates.

        Raises:
            LeaseLost: The turn has a newer holder.
        """
        if not self.left:
            return False
        chunks = self._step(progress.label) if isinstance(progress, StepStarted) else self._text(progress.text)
        if chunks is None:
            return False
        if not chunks:
            return True
        await self._thread.check()
        try:
            await self._thread.slack.append_stream(self._thread.turn.channel, self._ts, chunks)
        except SlackFailure as error:
            # whether a lost one has added anything is not known, and what follows must follow on it
            log.info("delivery.stream_left", turn_id=str(self._thread.turn.id), error=error.code)
            return False
        return True

    async def end(self) -> None:
        """Stop the stream; one that can't be stopped now is stopped before the answer is shown."""
        try:
            await self._thread.slack.stop_stream(self._thread.turn.channel, self._ts)
        except SlackFailure as error:
            log.info("delivery.stream_not_stopped", turn_id=str(self._thread.turn.id), error=error.code)

    def _step(self, label: str) -> list[Chunk]:
        chunks = self._done()
        self._tasks += 1
        self._task = (f"{self._name}/{self._tasks}", label)
        return [*chunks, task(*self._task, done=False)]

    def _text(self, text: str) -> list[Chunk] | None:
        """What the text has grown by; None when it is too much for one message."""
        sure = settled(unlabelled(text))
        rendered = render(Answer(sure), allowed_hosts=self._thread.allowed_hosts) if sure else []
        if len(rendered) > 1:
            return None
        shown = str((rendered[0].otherwise or rendered[0]).blocks[0]["text"]) if rendered else ""
        if not shown.startswith(self._shown) or shown == self._shown:
            return []  # what has changed its meaning waits for the answer
        grown, self._shown = shown.removeprefix(self._shown), shown
        return [*self._done(), words(grown)]

    def _done(self) -> list[Chunk]:
        if self._task is None:
            return []
        name, label = self._task
        self._task = None
        return [task(name, label, done=True)]
