"""Updates by a worker that may have lost its turn: whatever it overwrites is shown again.

Between the check of a token and the update any time can pass, for instance while the process stands still. So every
update is followed by a look at who holds the turn now.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import turns
from athenaeum.errors import LeaseLost
from athenaeum.slack.errors import Ambiguous, ContentRefused, MessageGone, RateLimited, SlackFailure
from athenaeum.slack.formatting import render_proposal
from athenaeum.worker.delivery.conclusion import conclude
from athenaeum.worker.delivery.content import Content
from athenaeum.worker.delivery.presenting import present

if TYPE_CHECKING:
    from athenaeum.domain.identity import MessageTs
    from athenaeum.worker.delivery.thread import Thread

log = structlog.get_logger(__name__)


async def overwrite(thread: Thread, ts: MessageTs, content: Content) -> None:
    """Make the message of the first part show this content, unless a newer holder has shown its own: then that again.

    Who is cancelled meanwhile stops only when that is done.

    Raises:
        LeaseLost: The turn has a newer holder.
        SlackFailure: Slack did not take the update, or may not have.
    """
    await conclude(_overwrite(thread, ts, content))


async def _overwrite(thread: Thread, ts: MessageTs, content: Content) -> None:
    try:
        await thread.update(ts, content)
    except MessageGone:
        raise
    except SlackFailure:
        await _correct(thread, ts)
        raise
    await _correct(thread, ts)


async def _correct(thread: Thread, ts: MessageTs) -> None:
    async with thread.session() as session:
        standing = await turns.look(session, thread.turn.id)
        if standing.fence == thread.token:
            return
        pending = await turns.pending(session, standing.id)
        if standing.answer is not None:
            shown = (await present(session, standing.id, standing.answer, allowed_hosts=thread.allowed_hosts))[:1]
        else:
            shown = [] if pending is None else [Content.of(render_proposal(pending, standing.asker))]
    for content in shown:
        log.warning("delivery.answer_repaired", turn_id=str(thread.turn.id))
        await _restore(thread, ts, content)
    raise LeaseLost(f"turn {thread.turn.id} is held by token {standing.fence}")


async def _restore(thread: Thread, ts: MessageTs, content: Content) -> None:
    deadline = monotonic() + thread.timing.patience.total_seconds()
    while True:
        try:
            await thread.update(ts, content)
        except (Ambiguous, RateLimited) as error:
            pause = (error.after or thread.timing.backoff).total_seconds()
            if monotonic() + pause > deadline:
                raise
            await asyncio.sleep(pause)
        except ContentRefused as error:
            content = content.plainer(error)
        else:
            return
