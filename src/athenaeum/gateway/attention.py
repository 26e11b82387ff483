"""What a message that is for the bot does to its thread, beside the answer it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.conversations import notices, questions, turns
from athenaeum.conversations.archive import threads
from athenaeum.conversations.keywords import Keyword, read_keyword
from athenaeum.conversations.turns import Stopping
from athenaeum.domain.channel import ChannelKind

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TenantId
    from athenaeum.domain.message import InboundMessage

_CHANGES = {Keyword.MUTE: threads.mute, Keyword.UNMUTE: threads.unmute, Keyword.FORGET: threads.forget}
_SENTENCES = {
    Stopping.NOT_YOURS: "Only the one who asked and the workspace's admins can stop this.",
    Stopping.OVER: "There is nothing to stop here.",
}


async def turn_to(session: AsyncSession, speech: InboundMessage) -> None:
    """Listen in the thread of a message for a while, or do with the thread what the message says.

    In a direct message everything is for the bot anyway; there only `forget` means anything.
    """
    keyword = read_keyword(speech.text)
    if speech.channel_kind is ChannelKind.DIRECT and keyword is not Keyword.FORGET:
        return
    outside = threads.OUTSIDE if speech.channel_kind is ChannelKind.DIRECT else speech.ts
    change = threads.engage if keyword is None else _CHANGES.get(keyword, threads.engage)
    await change(session, speech.channel, speech.thread_ts or outside, spoken=speech.ts)


async def stop(session: AsyncSession, tenant: TenantId, speech: InboundMessage) -> None:
    """Stop what the writer asked before this message: in its thread, or everywhere when it stands outside of one.

    Who may not, or finds nothing to stop, is told so, alone.
    """
    if not await questions.attach(session, speech):
        return
    root = speech.thread_ts
    asked = [root] if root else await questions.open_threads(session, speech.channel, speech.sender)
    rulings = [
        await turns.stop_thread(session, speech.channel, thread, user=speech.sender, before=speech.ts)
        for thread in asked
    ]
    if Stopping.STOPPED in rulings:
        return
    sentence = _SENTENCES[Stopping.NOT_YOURS if Stopping.NOT_YOURS in rulings else Stopping.OVER]
    notice = notices.Notice(speech.channel, speech.sender, sentence, speech.thread_ts)
    await notices.enqueue_notice(session, tenant, notice, cause=f"stop:{speech.channel}:{speech.ts}")
