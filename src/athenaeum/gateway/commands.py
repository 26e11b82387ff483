"""`/athenaeum …`: what a person wants of the bot without a message that others would see.

All but a question is answered in the acknowledgement itself: Slack shows it to the one who typed, once, and there is
no second call that could be lost or repeated. Slack does not send a command again, but says that it failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID, uuid5

import structlog

from athenaeum.conversations import commands, questions, turns
from athenaeum.conversations.archive import people, threads
from athenaeum.conversations.archive.places import place
from athenaeum.conversations.keywords import Keyword, read_keyword
from athenaeum.conversations.turns import Stopping
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import ChannelId, TurnId, UserId, turn_id
from athenaeum.domain.turn import Answer, Question
from athenaeum.errors import RetryLater
from athenaeum.slack.formatting import render
from athenaeum.slack.incoming import moment
from athenaeum.tenants.limits import TooManyRequests

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.tenant import Tenant
    from athenaeum.gateway.envelope import Envelope
    from athenaeum.tenants.limits import TokenBucket

log = structlog.get_logger(__name__)

_COMMANDS = UUID("3d6c0f5e-6d0f-5c43-9b8e-1f7e3a0b9d55")
_ASK = "ask"
_ANSWERING = "I answer you in our direct message."
_NO_QUESTION = "Ask me something: `{command} ask What was decided about the freeze?`"
_UNKNOWN = "I don't know that command. To ask me something, write `{command} ask …`; `{command} help` tells the others."
_HELP = (
    "`{command} ask …` asks me here and is answered in our direct message, where I may use all that you may read."
    " `{command}` with `whoami`, `sources`, `settings`, `stop`, `mute`, `unmute` or `forget` does the same as the word"
    " in a message, for this whole conversation, and only you see what I say."
)
_DONE = {
    Keyword.MUTE: "I no longer listen in the threads that are here. Mention me when you want me, or say `unmute`.",
    Keyword.UNMUTE: "I listen in the threads here again: for half an hour after each question.",
    Keyword.FORGET: (
        "I go on without what was said here before: I am no longer told it with questions. I have deleted nothing; to"
        " have what I keep of you deleted, open my Home tab."
    ),
}
_STOPPED = {True: "I stop what I was doing for you here.", False: "There is nothing to stop here."}


class Desk(Protocol):
    """Who answers what needs no model: `athenaeum.agent.reception.Reception`."""

    async def answer(self, question: Question, *, audience: Audience) -> Answer | None:
        """The answer to a keyword; None for anything else."""
        ...


@dataclass(frozen=True, slots=True)
class _Command:
    id: str
    name: str
    """As it was typed, with its slash: an installation may call it otherwise."""
    user: UserId
    channel: ChannelId
    words: str


class Commands:
    """Answers slash commands, each in one transaction and what it takes to read."""

    def __init__(self, database: DatabaseConnection, desk: Desk, *, limit: TokenBucket | None = None) -> None:
        """Nothing is opened; without a `limit` every question is taken."""
        self._database = database
        self._desk = desk
        self._limit = limit

    async def answer(self, envelope: Envelope, tenant: Tenant) -> dict[str, Any]:
        """What Slack is to show the one who typed it, and nobody else.

        Raises:
            Malformed: The form lacks an id.
        """
        form = envelope.event
        command = _Command(
            envelope.event_id, form.text("command"), form.user("user_id"), form.channel("channel_id"), form.text("text")
        )
        word, _, words = command.words.strip().partition(" ")
        asks = word.lower() == _ASK
        keyword = read_keyword(command.words) if command.words.strip() else Keyword.HELP
        if asks:
            said = Answer(await self._ask(command, words.strip(), tenant))
        elif keyword is None:
            said = Answer(_UNKNOWN.format(command=command.name))
        else:
            said = await self._do(command, keyword, tenant)
        log.info("command.answered", word=_ASK if asks else keyword, channel=command.channel)
        shown = render(said)[0]
        return {"response_type": "ephemeral", "text": shown.text, "blocks": list(shown.blocks)}

    async def _ask(self, command: _Command, words: str, tenant: Tenant) -> str:
        if not words:
            return _NO_QUESTION.format(command=command.name)
        turn = TurnId(uuid5(_COMMANDS, f"{tenant.id}:{command.id}"))  # the bucket knows a repetition by it
        try:
            async with self._database.session(tenant.id) as session:
                new = await commands.ask(
                    session, tenant.id, command.id, user=command.user, typed_in=command.channel, question=words
                )
                if new and self._limit is not None:
                    await self._limit.take(session, tenant.id, command.channel, command.user, turn=turn)
        except TooManyRequests as reason:
            return reason.user_text
        return _ANSWERING

    async def _do(self, command: _Command, keyword: Keyword, tenant: Tenant) -> Answer:
        async with self._database.session(tenant.id) as session:
            if keyword is Keyword.STOP:
                return Answer(_STOPPED[await _stop(session, command)])
            if keyword in {Keyword.MUTE, Keyword.UNMUTE}:
                await threads.set_muted(session, command.channel, muted=keyword is Keyword.MUTE)
                return Answer(_DONE[keyword])
            if keyword is Keyword.FORGET:
                await threads.forget_all(session, command.channel, spoken=await commands.now(session))
                return Answer(_DONE[keyword])
            question = await _question(session, tenant, command, keyword)
        answer = await self._desk.answer(question, audience=Audience(tenant.id, command.user, question.place))
        if answer is None:
            raise RetryLater(f"nobody answers {keyword.value}")
        if keyword is Keyword.HELP:
            return Answer(f"{answer.text}\n\n{_HELP.format(command=command.name)}")
        return answer


async def _question(session: AsyncSession, tenant: Tenant, command: _Command, keyword: Keyword) -> Question:
    """The keyword as if it were said in the channel, outside of threads."""
    ts = await commands.now(session)
    return Question(
        tenant=tenant.id,
        turn=turn_id(tenant.id, command.channel, ts),
        surface=Surface.SLACK,
        text=keyword.value,
        asker=command.user,
        asker_name=await people.full_name(session, command.user),
        place=await place(session, command.channel),
        message_ts=ts,
        thread_ts=threads.OUTSIDE,
        asked_at=moment(ts),
    )


async def _stop(session: AsyncSession, command: _Command) -> bool:
    """Stop what this person waits for in the channel; whether there was anything."""
    asked = await questions.open_threads(session, command.channel, command.user)
    rulings = [await turns.stop_thread(session, command.channel, thread, user=command.user) for thread in asked]
    return Stopping.STOPPED in rulings
