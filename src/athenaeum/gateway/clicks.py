"""Clicks: each does what it can in the transaction that takes it in; who may not click is told why, alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import escalations, extras, feedback, notices, personal, turns
from athenaeum.conversations.appointments import book
from athenaeum.conversations.escalations import Calling
from athenaeum.conversations.feedback import Rating
from athenaeum.conversations.turns import Repeating, Ruling, Stopping
from athenaeum.gateway.changes import (
    Accepted,
    CalledOff,
    Clicked,
    Disowned,
    Escalated,
    Explained,
    Halted,
    Rated,
    Repeated,
    Resolved,
)
from athenaeum.gateway.inquiry import Inquiry
from athenaeum.observability.metrics import FEEDBACK

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.tenant import Tenant
    from athenaeum.gateway.changes import Press

log = structlog.get_logger(__name__)

_SENTENCES = {
    Ruling.NOT_YOURS: "Only <@{asker}> can decide this: they asked me for it.",
    Ruling.DECIDED: "You have decided this already. Your second click changed nothing.",
    Ruling.EXPIRED: "It is too late for this: I no longer wait, and I did not do it. Ask me again if you want it.",
    Ruling.OVER: "I do not ask for this any more. Your click changed nothing.",
}


_UNSTOPPED = {
    Stopping.NOT_YOURS: "Only {asker} and the workspace's admins can stop this.",
    Stopping.OVER: "There is nothing left to stop here.",
}


_UNREPEATED = {
    Repeating.NOT_YOURS: "Only {asker} and the workspace's admins can have this tried again.",
    Repeating.OVER: "This is being tried again already, or cannot be any more. Ask me again if you still want to know.",
}


_ENDED = "Done: there will be no more of these."
_UNKEPT = "This was ended before."
_KEPT = "Only <@{owner}>, who asked for it, and the workspace's admins can end this."


_UNCALLED = {
    Calling.STANDING: "I have called somebody here already: please wait for them.",
    Calling.NOBODY: "I know of nobody to call here any more.",
}


async def take(session: AsyncSession, tenant: Tenant, press: Press, *, cause: str) -> Inquiry | None:
    """Do what the button says, and give what is to be asked then; of the same `cause` nobody is told twice."""
    match press:
        case Clicked():
            await _take_click(session, tenant, press, cause=cause)
        case Halted():
            await _take_stop(session, tenant, press, cause=cause)
        case Repeated():
            await _take_repeat(session, tenant, press, cause=cause)
        case Rated():
            return await _take_rating(session, press)
        case Explained():
            await _take_reason(session, press)
        case Escalated() | Resolved():
            await _take_call(session, tenant, press, cause=cause)
        case CalledOff():
            await _take_calling_off(session, tenant, press, cause=cause)
        case Disowned():
            await personal.want_erasure(session, tenant.id, press.user, cause=cause)
        case Accepted():
            await _take_acceptance(session, press, cause=cause)
    return None


async def _take_click(session: AsyncSession, tenant: Tenant, click: Clicked, *, cause: str) -> None:
    """Decide, and let the turn go on, when the commit makes both true; else tell the one who clicked why not."""
    ruling, turn = await turns.decide(
        session, click.approval, user=click.user, channel=click.channel, approved=click.approved
    )
    log.info("approval.clicked", approval=str(click.approval), approved=click.approved, ruling=ruling.value)
    if ruling is Ruling.TAKEN:
        return
    sentence = _SENTENCES[ruling].format(asker=turn.asker if turn else "")
    await _tell(session, tenant, click, sentence, cause=f"{click.approval}:{cause}")


async def _take_stop(session: AsyncSession, tenant: Tenant, halted: Halted, *, cause: str) -> None:
    """Stop the turn, or the thread's turns; else tell the one who wants it why not."""
    stopped = None
    if halted.turn is not None:
        ruling, stopped = await turns.stop(session, halted.turn, user=halted.user, channel=halted.channel)
    elif halted.thread_ts is not None:
        ruling = await turns.stop_thread(session, halted.channel, halted.thread_ts, user=halted.user)
    else:
        return
    log.info("turn.stop_wanted", turn=str(halted.turn), ruling=ruling.value)
    if ruling is Stopping.STOPPED:
        return
    asker = f"<@{stopped.asker}>" if stopped else "who asked"
    await _tell(session, tenant, halted, _UNSTOPPED[ruling].format(asker=asker), cause=f"stop:{cause}")


async def _take_repeat(session: AsyncSession, tenant: Tenant, repeated: Repeated, *, cause: str) -> None:
    """Begin a failed turn again; else tell the one who wants it why not."""
    ruling, failed = await turns.repeat(session, repeated.turn, user=repeated.user, channel=repeated.channel)
    log.info("turn.repeat_wanted", turn=str(repeated.turn), ruling=ruling.value)
    if ruling is Repeating.BEGUN:
        return
    asker = f"<@{failed.asker}>" if failed else "who asked"
    await _tell(session, tenant, repeated, _UNREPEATED[ruling].format(asker=asker), cause=f"again:{cause}")


async def _take_acceptance(session: AsyncSession, accepted: Accepted, *, cause: str) -> None:
    """Have its asker shown what only they may read; a click of anybody else's can be no click on what they saw."""
    theirs = await extras.want(session, accepted.turn, user=accepted.user, channel=accepted.channel, cause=cause)
    log.info("extras.wanted", turn=str(accepted.turn), theirs=theirs)


async def _take_calling_off(session: AsyncSession, tenant: Tenant, called: CalledOff, *, cause: str) -> None:
    """End a digest or a reminder, and tell the one who clicked, alone."""
    found = await book.find(session, called.appointment)
    if found is None or found.channel != called.channel:
        sentence = _UNKEPT
    elif await book.may_end(session, found, called.user):
        await book.end(session, tenant.id, found.id)
        sentence = _ENDED
    else:
        sentence = _KEPT.format(owner=found.owner)
    log.info("appointment.called_off", appointment=str(called.appointment))
    await _tell(session, tenant, called, sentence, cause=f"call_off:{cause}")


async def _take_call(session: AsyncSession, tenant: Tenant, wanted: Escalated | Resolved, *, cause: str) -> None:
    """Call a human, once, or note that they have helped; else tell the one who wants a human why there is none."""
    if isinstance(wanted, Resolved):
        resolved = await escalations.resolve(session, wanted.turn, user=wanted.user, channel=wanted.channel)
        log.info("escalation.resolved", turn=str(wanted.turn), new=resolved)
        return
    calling = await escalations.call(session, wanted.turn, user=wanted.user, channel=wanted.channel, at=wanted.at)
    log.info("escalation.wanted", turn=str(wanted.turn), calling=calling.value)
    if calling is not Calling.CALLED:
        await _tell(session, tenant, wanted, _UNCALLED[calling], cause=f"human:{cause}")


async def _take_rating(session: AsyncSession, rated: Rated) -> Inquiry | None:
    """Keep what somebody says of an answer; their latest word counts, and of a bad one the reason is asked."""
    kept = await feedback.give(
        session, rated.turn, user=rated.user, channel=rated.channel, verdict=rated.verdict, at=rated.at
    )
    if kept:
        FEEDBACK.labels(rated.verdict.value).inc()
    log.info("feedback.given", turn=str(rated.turn), verdict=rated.verdict.value, kept=kept)
    if not kept or rated.verdict is not Rating.DOWN:
        return None
    return Inquiry(rated.turn, rated.trigger, rated.at, await feedback.reason_of(session, rated.turn, rated.user))


async def _take_reason(session: AsyncSession, explained: Explained) -> None:
    kept = await feedback.explain(
        session, explained.turn, user=explained.user, at=explained.at, reason=explained.reason
    )
    log.info("feedback.explained", turn=str(explained.turn), kept=kept)


async def _tell(
    session: AsyncSession,
    tenant: Tenant,
    click: CalledOff | Clicked | Escalated | Halted | Repeated,
    sentence: str,
    *,
    cause: str,
) -> None:
    notice = notices.Notice(click.channel, click.user, sentence, click.thread_ts)
    await notices.enqueue_notice(session, tenant.id, notice, cause=cause)
