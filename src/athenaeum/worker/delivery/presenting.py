"""An answer as its messages, and below the last of them what its reader can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.conversations import escalations, turns
from athenaeum.conversations.appointments import book
from athenaeum.domain.turn import Occasion
from athenaeum.slack.formatting import again, call_off, feedback, human_button, plain_feedback, render
from athenaeum.worker.delivery.content import Content

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TurnId
    from athenaeum.domain.turn import Answer

_LABELS = {Occasion.DIGEST: "End this digest", Occasion.REMINDER: "Cancel this reminder"}


async def present(
    session: AsyncSession, turn: TurnId, answer: Answer, *, allowed_hosts: Collection[str]
) -> list[Content]:
    """The messages that show the answer of a turn, as its row stands now."""
    standing = await turns.look(session, turn)
    shown = [Content.of(rendered) for rendered in render(answer, allowed_hosts=allowed_hosts)]
    if appointment := await book.of_turn(session, standing):
        shown[-1] = shown[-1].above(call_off(appointment.id, _LABELS[appointment.occasion]))
    can_call = not standing.stands_alone and await escalations.helper_for(session, standing.channel) is not None
    human = [human_button(turn)] if can_call else []
    if standing.answered_at is None and await turns.is_repeatable(session, turn):
        shown[-1] = shown[-1].above([*again(turn), *human])
    elif answer.model and standing.stopped_by is None:  # a model's words: not help, not what was said by rule
        plainly = shown[-1].above([*plain_feedback(turn), *human])
        shown[-1] = shown[-1].above([*feedback(turn), *human], otherwise=plainly)
    return shown
