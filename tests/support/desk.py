"""A question with everything that is needed to have it answered: a tenant, channels, documents, a turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pydantic_ai.models import Model
from sqlalchemy import text

from athenaeum.agent.budget import Budget
from athenaeum.agent.prompts import Prompts
from athenaeum.agent.runner import Runner
from athenaeum.conversations import turns
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.approval import Proposal
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Place, Surface
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, LeaseToken, MessageTs, UserId, turn_id
from athenaeum.domain.passage import Origin, Passage
from athenaeum.domain.turn import Answer, Progress, Question
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.passages import NewPassage
from athenaeum.tools.guard import GuardedToolset
from athenaeum.tools.toolset import build_toolset

GENERAL = ChannelId("C1")
SECRET = ChannelId("C2")
FENCE = LeaseToken(7)
ASKED = MessageTs("1700000100.000100")

QUESTION = Question(
    tenant=DEFAULT_TENANT,
    turn=turn_id(DEFAULT_TENANT, GENERAL, ASKED),
    surface=Surface.SLACK,
    text="How do I retry a failed event?",
    asker=UserId("U1"),
    asker_name="Ana",
    place=Place(id=GENERAL, name="general", kind=ChannelKind.PUBLIC),
    message_ts=ASKED,
    thread_ts=ASKED,
    asked_at=datetime(2023, 11, 14, 22, 15, tzinfo=UTC),
)

DOCUMENTS = (
    NewPassage(
        Origin.DOCUMENT,
        "Operations",
        "An event that failed for good is kept with its error.\n\n"
        "Look at what failed, then put a failed event back into the queue to retry it:\n\n"
        "    athenaeum events list --status failed\n"
        "    athenaeum events retry ID\n\n"
        "A retried event keeps its id.",
        "Failed events",
        "https://docs.example/operations#failed-events",
    ),
    NewPassage(
        Origin.DOCUMENT,
        "Installation",
        "Install Athenaeum with `make setup`. It needs Python 3.11 and nothing else.",
        url="https://docs.example/installation",
    ),
)

# Ana is in #general; #secret is Ben's alone.
_WORKSPACE = """
INSERT INTO slack_channels (tenant_id, channel_id, name, kind, members_read_at)
    VALUES (:tenant, 'C1', 'general', 'public', now()), (:tenant, 'C2', 'secret', 'private', now());
INSERT INTO slack_users (tenant_id, user_id, name, real_name)
    VALUES (:tenant, 'U1', 'Ana', 'Ana'), (:tenant, 'U2', 'Ben', 'Ben');
INSERT INTO slack_members (tenant_id, channel_id, user_id)
    VALUES (:tenant, 'C1', 'U1'), (:tenant, 'C1', 'U2'), (:tenant, 'C2', 'U2');
INSERT INTO turns (tenant_id, turn_id, surface, channel_id, message_ts, thread_ts, asker_id, question, fence)
    VALUES (:tenant, :turn, 'slack', 'C1', :ts, :ts, 'U1', 'How do I retry a failed event?', :fence)
"""
_SAID = """
INSERT INTO slack_messages (tenant_id, channel_id, ts, sent_at, thread_ts, user_id, text)
VALUES (:tenant, :channel, :ts, to_timestamp(CAST(CAST(:ts AS text) AS double precision)), :thread_ts, :user, :words)
"""


class CountedIndex(Index):
    """The index, keeping what was searched for; with a `fault`, it fails."""

    def __init__(self, database: DatabaseConnection) -> None:
        super().__init__(database, None)
        self.searches: list[str] = []
        self.fault: Exception | None = None

    async def search(
        self, query: str, *, audience: Audience, origins: frozenset[Origin] | None = None, limit: int = 8
    ) -> list[Passage]:
        self.searches.append(query)
        if self.fault is not None:
            raise self.fault
        return await super().search(query, audience=audience, origins=origins, limit=limit)


@dataclass(slots=True)
class Desk:
    """Has questions answered, and keeps what was reported meanwhile in `seen`."""

    database: DatabaseConnection
    index: CountedIndex
    question: Question = QUESTION
    budget: Budget = field(default_factory=Budget)
    prompts: Prompts | None = None
    toolset: GuardedToolset = field(default_factory=build_toolset)
    seen: list[Progress] = field(default_factory=list[Progress])
    interrupt: Callable[[Progress], Awaitable[None]] | None = None

    async def set_out(self) -> None:
        for statement in _WORKSPACE.split(";"):
            await self.execute(statement, tenant=DEFAULT_TENANT, turn=QUESTION.turn, ts=ASKED, fence=FENCE)
        await self.put("docs", *DOCUMENTS)

    async def put(self, source: str, *passages: NewPassage) -> None:
        async with self.database.session(DEFAULT_TENANT) as session:
            await self.index.put(session, DEFAULT_TENANT, source, passages)

    async def say(self, ts: str, words: str, *, thread_ts: str | None = None, channel: str = GENERAL) -> None:
        values = {"channel": channel, "ts": ts, "thread_ts": thread_ts, "user": "U2", "words": words}
        await self.execute(_SAID, tenant=DEFAULT_TENANT, **values)

    async def answer(self, model: Model[Any], words: str | None = None, *, fence: LeaseToken = FENCE) -> Answer:
        outcome = await self.attempt(model, words, fence=fence)
        assert isinstance(outcome, Answer)
        return outcome

    async def attempt(
        self, model: Model[Any], words: str | None = None, *, fence: LeaseToken = FENCE
    ) -> Answer | Proposal:
        question = self.question if words is None else replace(self.question, text=words)
        async with self.runner(model) as runner:
            return await runner.answer(question, fence=fence, progress=self.note)

    def runner(self, model: Model[Any]) -> Runner:
        return Runner(
            self.database,
            self.index,
            lambda _: model,
            prompts=self.prompts,
            toolset=self.toolset,
            budget=self.budget,
        )

    async def decide(self, model: Model[Any], *, approved: bool = True) -> Proposal:
        """Let the agent propose something, park its turn, and decide as its asker."""
        proposal = await self.attempt(model)
        assert isinstance(proposal, Proposal)
        async with self.database.session(DEFAULT_TENANT) as session:
            await turns.park(session, await turns.look(session, QUESTION.turn), FENCE, proposal)
            ruling, _ = await turns.decide(session, proposal.id, user=UserId("U1"), channel=GENERAL, approved=approved)
        assert ruling is turns.Ruling.TAKEN
        return proposal

    async def note(self, progress: Progress) -> None:
        self.seen.append(progress)
        if self.interrupt is not None:
            await self.interrupt(progress)

    async def steps(self) -> list[str]:
        rows = await self.execute("SELECT name FROM steps ORDER BY finished_at, seq")
        return [row.name.removeprefix("athenaeum__") for row in rows]

    async def execute(self, statement: str, **values: Any) -> list[Any]:
        async with self.database.session(DEFAULT_TENANT) as session:
            named = {name: value for name, value in values.items() if f":{name}" in statement}
            result = await session.execute(text(statement), named)
            return list(result) if result.returns_rows else []  # pyright: ignore[reportAttributeAccessIssue]
