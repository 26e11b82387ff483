"""Answers that need no model: to keywords, and to a mention without words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.agent import citations, context
from athenaeum.agent.prompts import Prompts
from athenaeum.agent.standing import readable
from athenaeum.conversations import modes
from athenaeum.conversations.archive import threads
from athenaeum.conversations.keywords import Keyword, read_keyword
from athenaeum.conversations.modes import ChannelSetting
from athenaeum.database import models
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Mode, Surface
from athenaeum.domain.passage import Passage
from athenaeum.domain.price import in_dollars
from athenaeum.domain.turn import Answer, Question
from athenaeum.retrieval.audience import DOCUMENTS, OPEN_DOCUMENTS, readable_shelves
from athenaeum.retrieval.index import Index
from athenaeum.tenants.budgets import Scope
from athenaeum.tenants.budgets.standing import Standing, standing

_DIRECT = "In a direct message I answer whatever you write. To have me stop an answer, say `stop`."
_SAID = {
    Keyword.MUTE: "I no longer listen in this thread. Mention me when you want me, or say `unmute`.",
    Keyword.UNMUTE: "I listen in this thread again: for half an hour after each question, you need not mention me.",
    Keyword.STOP: "There is nothing to stop here.",
    Keyword.FORGET: (
        "I go on without what was said here before: I am no longer told it with your questions, and I listen only when"
        " I am mentioned. I have deleted nothing, so a search may still find it; what you delete in Slack I delete too."
    ),
}
_ANSWERED = {
    Mode.QUESTIONS: "questions to nobody in particular",
    Mode.ALL: "what is said to nobody in particular",
    Mode.SUGGEST: "questions to nobody in particular, for their writer alone",
}
_OF_BUDGET = {Scope.TENANT: "This workspace has", Scope.CHANNEL: "This channel has"}
_OPERATORS = "An operator changes this: `athenaeum channels`, `athenaeum personas` and `athenaeum budgets`."
_NO_ANSWER = "I have not answered anything here yet."
_NO_SOURCES = "I read nothing for my last answer here."
_LAST = text("""
    SELECT turn_id FROM turns
    WHERE channel_id = :channel AND message_ts < :ts AND answered_at IS NOT NULL AND NOT whispered
      AND answer ->> 'model' <> '' AND (thread_ts = :thread OR (:own AND asker_id = :asker))
    ORDER BY message_ts DESC LIMIT 1""")
_MINUTES = threads.ATTENTION // timedelta(minutes=1)
_CITED = text("""
    SELECT cited ->> 'passage' AS id FROM turns, jsonb_array_elements(answer -> 'citations') AS cited
    WHERE turn_id = :turn""")
_READ = text("""
    SELECT passage FROM steps, jsonb_path_query(result::jsonb, '$.**.passages[*]') AS passage
    WHERE turn_id = :turn ORDER BY finished_at, seq""")
_PASSAGE = TypeAdapter(Passage)


class Reception:
    """Answers what needs no model."""

    def __init__(self, database: DatabaseConnection, index: Index, prompts: Prompts) -> None:
        """`index` says what may be read, `prompts` hold the words of help."""
        self._database = database
        self._index = index
        self._prompts = prompts

    async def answer(self, question: Question, *, audience: Audience) -> Answer | None:
        """The answer to a keyword, or None for a question to the model."""
        keyword = read_keyword(question.text) if question.text.strip() else Keyword.HELP
        match keyword:
            case None:
                return None
            case Keyword.HELP:
                return Answer(self._prompts.help(await context.setting(self._database, question)))
            case Keyword.WHOAMI:
                return Answer(await self._whoami(question, audience))
            case Keyword.SOURCES:
                return await self._sources(question, audience)
            case Keyword.SETTINGS:
                return Answer(await self._settings(question))
            case _:
                listens = keyword in {Keyword.MUTE, Keyword.UNMUTE} and question.place.kind is ChannelKind.DIRECT
                return Answer(_DIRECT if listens else _SAID[keyword])

    async def _whoami(self, question: Question, audience: Audience) -> str:
        setting = await context.setting(self._database, question)
        select, parameters = readable_shelves(audience)
        async with self._database.session(question.tenant) as session:
            person = await session.get(models.SlackUser, (question.tenant, question.asker))
            shelves = set(await session.scalars(text(select), parameters))
            listening = await _listening(session, question)
        channels = len(shelves - {DOCUMENTS, OPEN_DOCUMENTS})
        messages = "one channel" if channels == 1 else f"{channels} channels"
        return "\n".join(
            [
                f"You are {setting.user_name}{_standing(person)}.",
                f"I am {setting.persona.name}, {setting.persona.role}, an AI.",
                f"For an answer here I may use the documents and the messages of {messages}: all who read it may.",
                listening,
            ]
        )

    async def _settings(self, question: Question) -> str:
        setting = await context.setting(self._database, question)
        place = question.place
        async with self._database.session(question.tenant) as session:
            chosen = await modes.setting_of(session, place.id)
            budgets = await standing(session, channel=place.id, user=question.asker)
            listening = await _listening(session, question)
        told = [f"I am {setting.persona.name}, {setting.persona.role}."]
        if setting.persona.model:
            told.append(f"My language model here is `{setting.persona.model}`.")
        if question.surface is Surface.SLACK and place.kind is not ChannelKind.DIRECT:
            told.append(_answered(chosen))
        told.append(listening)
        # a person's own budget is nobody else's business: their home shows it
        told += [f"{_OF_BUDGET[one.scope]} {_spent(one)}" for one in budgets if one.scope in _OF_BUDGET]
        return "\n".join([*told, _OPERATORS])

    async def _sources(self, question: Question, audience: Audience) -> Answer:
        # who asks outside of a thread means the last answer that they got here
        is_own = question.place.kind is ChannelKind.DIRECT or question.thread_ts == threads.OUTSIDE
        place: dict[str, Any] = {"channel": question.place.id, "thread": question.thread_ts, "asker": question.asker}
        place |= {"ts": question.message_ts, "own": is_own}
        async with self._database.session(question.tenant) as session:
            turn = await session.scalar(_LAST, place)
            if turn is None:
                return Answer(_NO_ANSWER)
            cited = {int(row.id) for row in await session.execute(_CITED, {"turn": turn})}
            found = [_PASSAGE.validate_python(row.passage) for row in await session.execute(_READ, {"turn": turn})]
        passages = {passage.label: passage for passage in found}
        if not passages:
            return Answer(_NO_SOURCES)
        read = {passage.id: passage.url for passage in passages.values()}
        may_read = await readable(self._database, self._index, question, audience=audience, sources=read)
        shown = {label: passage for label, passage in passages.items() if passage.id in may_read}
        quoted = [label for label, passage in shown.items() if passage.id in cited]
        written, numbered = citations.number(_told(quoted, shown, len(passages)), shown, may_read)
        return Answer(written, citations=tuple(numbered))


def _answered(chosen: ChannelSetting) -> str:
    """What is answered outside of threads."""
    if chosen.mode is Mode.MENTIONS:
        return "In this channel I answer what mentions me."
    rest = f"{chosen.cap} answers without a mention a day at most, {chosen.answered} so far today"
    return f"In this channel I answer what mentions me, and {_ANSWERED[chosen.mode]} (mode `{chosen.mode}`): {rest}."


def _spent(budget: Standing) -> str:
    return (
        f"{in_dollars(budget.dollars)} a day for language models, {in_dollars(budget.spent)} of it spent today (UTC)."
    )


def _told(quoted: list[str], shown: dict[str, Passage], read: int) -> str:
    rest = [label for label in shown if label not in quoted]
    lines = [
        f"{words} {' '.join(f'[{label}]' for label in labels)}"
        for words, labels in (("For my last answer here I used", quoted), ("I also read", rest))
        if labels
    ]
    if hidden := read - len(shown):
        lines.append(f"{hidden} more can no longer be read by everyone here.")
    return "\n\n".join(lines)


def _standing(person: models.SlackUser | None) -> str:
    if person is None:
        return ""
    standing = "an admin" if person.is_admin else "a guest" if person.is_guest else "a member"
    return f" ({person.user_id}), {standing} of this workspace"


async def _listening(session: AsyncSession, question: Question) -> str:
    if question.surface is Surface.TERMINAL or question.place.kind is ChannelKind.DIRECT:
        return "I answer whatever you write here."
    if question.thread_ts == threads.OUTSIDE:
        return f"In a thread I listen without a mention for {_MINUTES} minutes after each question; `mute` ends that."
    attention = await threads.attention(session, question.place.id, question.thread_ts)
    if attention is not None and attention.muted:
        return "In this thread I was told not to listen; `unmute` ends that."
    if attention is not None and attention.engaged:
        return f"In this thread I listen without a mention until {attention.until:%H:%M} UTC; `mute` ends that."
    return "In this thread I answer when I am mentioned."
