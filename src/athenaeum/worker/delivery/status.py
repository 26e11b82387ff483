"""Slack's own sign that somebody works on an answer, where a workspace has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.slack.errors import SlackFailure

if TYPE_CHECKING:
    from athenaeum.worker.delivery.thread import Thread

log = structlog.get_logger(__name__)

_THINKING = "is thinking…"


async def begin(thread: Thread) -> bool:
    """Show that the turn is worked on; False where Slack does not.

    The session's status has a Stop button of Slack's, and is for apps that are agents; the thread's is for any app.
    """
    slack, turn = thread.slack, thread.turn
    try:
        await slack.set_session(turn.channel, turn.thread_ts, "processing")
    except SlackFailure as error:
        log.info("status.no_session", turn_id=str(turn.id), error=error.code)
    else:
        return True
    try:
        await slack.set_status(turn.channel, turn.thread_ts, _THINKING)
    except SlackFailure as error:
        log.info("status.not_shown", turn_id=str(turn.id), error=error.code)
        return False
    return True


async def end(thread: Thread) -> None:
    """Take the sign away."""
    slack, turn = thread.slack, thread.turn
    try:
        await slack.set_session(turn.channel, turn.thread_ts, "active")
    except SlackFailure:
        try:
            await slack.set_status(turn.channel, turn.thread_ts, "")
        except SlackFailure as error:
            log.info("status.not_ended", turn_id=str(turn.id), error=error.code)
