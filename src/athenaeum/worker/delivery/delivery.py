"""The entrance to delivery: it alone knows which surface a turn came from."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import turns
from athenaeum.conversations.notices import Notice, enqueue_notice
from athenaeum.domain.channel import Surface
from athenaeum.errors import Misconfigured, Refused
from athenaeum.slack.errors import MessageGone, MissingScope
from athenaeum.slack.formatting import Call, render, render_call, render_proposal, render_whole
from athenaeum.tenants import register
from athenaeum.worker.delivery import document, intents, status
from athenaeum.worker.delivery.content import PLACEHOLDER, TOMBSTONE, Content
from athenaeum.worker.delivery.posting import Posting
from athenaeum.worker.delivery.presenting import present
from athenaeum.worker.delivery.progress import ProgressFeed
from athenaeum.worker.delivery.showing import Showing
from athenaeum.worker.delivery.thread import Thread
from athenaeum.worker.delivery.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from athenaeum.conversations.turns import Turn
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.approval import Pending
    from athenaeum.domain.identity import LeaseToken, MessageTs, TenantId
    from athenaeum.domain.turn import Answer
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)

_PATIENT = Timing()
_CALL = 1_000
"""The part of a turn that calls for a human: beyond those of any answer."""


class Delivery:
    """Shows turns to the people who asked. Safe to call again for the same turn, from any process."""

    def __init__(
        self,
        database: DatabaseConnection,
        slack: Mapping[TenantId, SlackClient],
        *,
        allowed_hosts: Collection[str] = (),
        timing: Timing = _PATIENT,
    ) -> None:
        """`slack` holds the client of each connected workspace and may grow later.

        Links stay links where a citation has the address, or where the host is in `allowed_hosts`.
        """
        self._database = database
        self._slack = slack
        self._allowed_hosts = frozenset(allowed_hosts)
        self._timing = timing

    async def placeholder(self, turn: Turn, token: LeaseToken) -> None:
        """Make sure that the turn's thread shows a sign of life: Slack's own, where it is wanted, or "Thinking…"."""
        if turn.surface is not Surface.SLACK or not turn.is_watched:
            return
        thread = self._thread(turn, token)
        if not (await _is_native(thread) and await status.begin(thread)):
            await Posting(thread).place(0, PLACEHOLDER.stoppable(turn.id))
            return
        async with thread.session() as session:
            is_over = (await turns.look(session, turn.id)).finished_at is not None
        if is_over:  # it may have been answered meanwhile
            await status.end(thread)

    def progress(self, turn: Turn, token: LeaseToken) -> ProgressFeed | None:
        """The feed that keeps the placeholder up to date; None where the surface has none."""
        if turn.surface is Surface.TERMINAL or not turn.is_watched:
            return None
        return ProgressFeed(self._thread(turn, token))

    async def deliver(self, turn: Turn, token: LeaseToken, answer: Answer) -> None:
        """Show the saved answer, all of its parts, each once; a whispered one to its asker alone.

        Raises:
            LeaseLost: The turn has a newer holder.
            RetryLater: Slack did not take it yet; call again.
            Refused: It can't be shown there.
        """
        if turn.surface is Surface.TERMINAL:
            return
        if turn.whispered:
            await self._whisper(turn, token, answer)
            return
        thread = self._thread(turn, token)
        async with thread.session() as session:
            shown = await present(session, turn.id, answer, allowed_hosts=self._allowed_hosts)
        showing = Showing(thread)
        for part, content in enumerate(shown):
            await showing.show(part, content)
        if (whole := render_whole(answer, allowed_hosts=self._allowed_hosts)) is not None:
            await self._attach(thread, whole)
        await showing.sweep()
        if turn.is_watched and await _is_native(thread):
            await status.end(thread)

    async def ask(self, turn: Turn, token: LeaseToken, pending: Pending) -> None:
        """Show in the placeholder what the asker is to decide, with the buttons for it; raises as `deliver` does."""
        if turn.whispered:
            raise Refused("what nobody asked for changes nothing")
        await Showing(self._thread(turn, token)).show(0, Content.of(render_proposal(pending, turn.asker)))

    async def call(self, turn: Turn, call: Call) -> None:
        """Make sure that the call for a human stands below a finished turn, once, and says when somebody was helped.

        Whoever is late with it changes nothing: what is posted is posted once, and it changes only when it is resolved.

        Raises:
            RetryLater: Slack did not take it yet; call again.
            Refused: It can't be shown there.
        """
        thread, content = self._thread(turn, turn.fence), Content.of(render_call(call))
        posted = await Posting(thread).place(_CALL, content)
        if call.resolved_by is not None and not posted.fresh:
            with suppress(MessageGone):  # who deletes it means it
                await thread.update(posted.ts, content)

    async def retract(self, turn: Turn, token: LeaseToken) -> None:
        """Take the placeholder away: nobody waits for an answer any more."""
        if turn.surface is Surface.TERMINAL:
            return
        thread = self._thread(turn, token)
        async with thread.session() as session:
            known = await intents.read_all(session, turn)
        for intent in known:
            # also one that was not posted yet: whoever has the right to may do so after this
            if intent.part == document.PART:
                await thread.discard()
            await Posting(thread).withdraw(intent.part)

    async def take_away(self, turn: Turn, *, root: MessageTs | None = None) -> None:
        """Delete the messages of a finished turn; where Slack deletes nothing, they tell that there was an answer.

        `root` is our own message that repeats the question, where there is one.
        """
        thread = self._thread(turn, turn.fence)
        async with thread.session() as session:
            known = await intents.read_all(session, turn)
        if any(intent.part == document.PART for intent in known):
            await thread.discard()
        for ts in [*(intent.ts for intent in known), root]:
            if ts is not None:
                await thread.take_away(ts, TOMBSTONE)

    async def _attach(self, thread: Thread, whole: str) -> None:
        """Make sure that the whole answer stands below its messages, where Slack takes it: they say that it goes on."""
        async with thread.session() as session:
            known = await intents.read(session, thread.turn, document.PART)
        if known is not None and known.ts is not None:
            return
        try:
            file = await thread.upload(whole)
            await Posting(thread).ensure(document.PART, Content(document.TITLE, file=file))
        except (Refused, MissingScope) as error:
            log.warning("delivery.not_attached", turn_id=str(thread.turn.id), error=str(error))

    async def _whisper(self, turn: Turn, token: LeaseToken, answer: Answer) -> None:
        """Show the asker alone what was found; that nothing was found is no help to who did not ask."""
        if not answer.citations:
            return
        text = "\n\n".join(rendered.plain for rendered in render(answer, allowed_hosts=self._allowed_hosts))
        notice = Notice(turn.channel, turn.asker, text, None if turn.thread_ts == turn.message_ts else turn.thread_ts)
        async with self._database.session(turn.tenant) as session:
            await turns.check(session, turn.id, token)
            await enqueue_notice(session, turn.tenant, notice, cause=f"whisper:{turn.id}")

    def _thread(self, turn: Turn, token: LeaseToken) -> Thread:
        client = self._slack.get(turn.tenant)
        if client is None:
            raise Misconfigured(
                f"no Slack token for the workspace of tenant {turn.tenant}: set SLACK_BOT_TOKEN to its bot token"
            )
        return Thread(self._database, client, turn, token, self._timing, self._allowed_hosts)


async def _is_native(thread: Thread) -> bool:
    async with thread.session() as session:
        return await register.native_team(session) is not None
