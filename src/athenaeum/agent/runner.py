"""From a question to an answer with verified sources."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

import structlog
from pydantic_ai import Agent, capture_run_messages
from pydantic_ai.exceptions import AgentRunError, FallbackExceptionGroup, UsageLimitExceeded
from pydantic_ai.messages import BinaryContent, ModelMessage, ModelResponse, TextContent, UserContent
from pydantic_ai.models import Model
from pydantic_ai.tools import DeferredToolRequests
from pydantic_ai.usage import RunUsage

from athenaeum.agent import citations, context
from athenaeum.agent.acquaintance import get_to_know
from athenaeum.agent.budget import EXHAUSTED, FOUND, Budget
from athenaeum.agent.builder import build_agent
from athenaeum.agent.consent import propose
from athenaeum.agent.durability import UnreadableStep
from athenaeum.agent.journal import Journal, Step
from athenaeum.agent.links import read_links
from athenaeum.agent.prompts import Prompts
from athenaeum.agent.reception import Reception
from athenaeum.agent.secretary import Secretary
from athenaeum.agent.standing import WITHHELD, is_for, readable
from athenaeum.agent.versions import Versions, fingerprint, of_tools
from athenaeum.conversations import turns
from athenaeum.conversations.archive.attachments import Attachment
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.approval import Consents, Proposal
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import LeaseToken, TenantId, UserId
from athenaeum.domain.passage import Origin, Period
from athenaeum.domain.turn import Answer, Progress, Question, StepStarted, Usage
from athenaeum.errors import RetryLater
from athenaeum.llm import evidence
from athenaeum.llm.faults import translate
from athenaeum.llm.offline import quote_from
from athenaeum.llm.payment import paid_by
from athenaeum.retrieval.index import Index
from athenaeum.tenants.budgets import BudgetSpent, Purse
from athenaeum.tools.attachments import Attachments, Excerpts
from athenaeum.tools.grant import Grant
from athenaeum.tools.guard import GuardedToolset
from athenaeum.tools.period import READ_PERIOD
from athenaeum.tools.quarantine import Quarantine, visible
from athenaeum.tools.readers import Readers
from athenaeum.tools.toolset import build_toolset

log = structlog.get_logger(__name__)

_READING = "Reading files…"
_WORDLESS = "(No words, only files: say briefly what is in them.)"

ModelFactory = Callable[[str | None], Model[Any]]
"""Gives the model for a persona's model string, or for None the configured one."""


@dataclass(frozen=True, slots=True)
class _Prompt:
    """What the model is told, recorded as the turn's first step: a retry says the same in the same words."""

    system: str
    context: str
    delimiter: str
    model: str | None
    tools: list[str] | None = None
    files: str = ""
    read: dict[str, Any] | None = None
    """The passages of the files, as `evidence` keeps them."""
    pictures: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The words before each, and the picture itself, a JPEG in base64."""


class Runner:
    """Answers questions; an async context manager that closes the models' connections when it is left."""

    def __init__(
        self,
        database: DatabaseConnection,
        index: Index,
        model_factory: ModelFactory,
        *,
        prompts: Prompts | None = None,
        toolset: GuardedToolset | None = None,
        attachments: Attachments | None = None,
        budget: Budget | None = None,
    ) -> None:
        """Models are built on their first use; templates are tried at once, so that a broken one stops the start."""
        self._database = database
        self._index = index
        self._model_factory = model_factory
        self._prompts = prompts or Prompts()
        self._reception = Reception(database, index, self._prompts)
        self._secretary = Secretary(database)
        self._toolset = toolset or build_toolset()
        self._attachments = attachments or Attachments(database, {})
        self._budget = budget or Budget()
        self._agents: dict[str | None, Agent[Grant, str | DeferredToolRequests]] = {}
        self._models = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the models' connections."""
        self._agents.clear()
        await self._models.aclose()

    @property
    def toolset(self) -> GuardedToolset:
        """The agent's tools; tools of other servers join them."""
        return self._toolset

    async def openers(self, tenant: TenantId, user: UserId) -> list[str]:
        """Questions that a person may begin a talk by."""
        return self._prompts.questions(await context.talk(self._database, tenant, user))

    async def answer(
        self, question: Question, *, fence: LeaseToken, progress: Callable[[Progress], Awaitable[None]]
    ) -> Answer | Proposal:
        """Answer a question, going on where an earlier attempt at the same turn stopped.

        A Proposal is what the asker has to decide about first; the turn goes on when it is answered again after that.
        `progress` is awaited while the model streams: it should note what it is given and return.

        Raises:
            RetryLater: the model or the database is away, or told us to wait.
            Refused: the model will not answer this, now or later (key, credit, length, a price that is not known).
            LeaseLost: `fence` is not the newest token of the turn.
            Misconfigured: the model cannot be built.
        """
        question = await get_to_know(self._database, question)
        shared = await self._attachments.find(question)
        if shared and not question.text.strip():
            question = replace(question, text=_WORDLESS)
        received = await self._secretary.answer(question)
        if received is None and question.summons is None:
            received = await self._reception.answer(question, audience=_audience(question))
        if received is not None:
            return received
        purse = Purse(self._database, question)
        versions = Versions(prompts=self._prompts.version, tools=of_tools(self._toolset))
        async with Journal(self._database, question, fence=fence, versions=versions, purse=purse) as journal:
            # The versions are not part of the step: a turn goes on in the words it began with.
            step = Step("prompt", fingerprint(question.text))
            if shared:
                await progress(StepStarted(_READING))
            prompt = _Prompt(**await journal.step(step, lambda: self._prompt(question, shared)))
            grant = Grant(
                index=self._index,
                audience=_audience(question),
                readers=Readers(self._database, _audience(question)),
                quarantine=Quarantine(prompt.delimiter),
                consents=await self._consents(question),
                progress=progress,
                now=question.asked_at,
                tools=None if prompt.tools is None else frozenset(prompt.tools),
                period=_period(question),
            )
            try:
                with paid_by(purse):
                    return await self._run(question, prompt, grant)
            except UnreadableStep as error:
                await journal.forget_unreadable()
                raise RetryLater(f"a step of another release cannot be read: {error}", after=timedelta(0)) from error

    async def _consents(self, question: Question) -> Consents:
        async with self._database.session(question.tenant) as session:
            decided = await turns.decisions(session, question.turn)
        return Consents(question.turn, decided, can_ask=question.surface is Surface.SLACK)

    async def _prompt(self, question: Question, shared: Sequence[Attachment]) -> dict[str, Any]:
        gathered = await context.gather(self._database, question)
        quarantine = Quarantine()
        thread, recent = (
            quarantine.wrap(text, origin=Origin.MESSAGE) if text else "" for text in (gathered.thread, gathered.recent)
        )
        read = await self._attachments.read(question, shared) if shared else Excerpts()
        links = await read_links(self._database, question, _audience(question))
        linked = self._prompts.linked(
            [quarantine.wrap(words, origin=Origin.MESSAGE) for words in links.told], links.withheld
        )
        prompt = _Prompt(
            system=self._prompts.system(gathered.setting, delimiter=quarantine.delimiter),
            context="\n\n".join(
                filter(None, (linked, self._prompts.context(gathered.setting, thread=thread, recent=recent)))
            ),
            delimiter=quarantine.delimiter,
            files=self._prompts.files(*read.quoted(quarantine), pictures=len(read.pictures)) if shared else "",
            read=evidence.attach(read.sources) if shared else None,
            pictures=[(told, b64encode(jpeg).decode()) for told, jpeg in read.shown(quarantine)],
            model=gathered.setting.persona.model,
            tools=_tools(question, gathered.setting.persona.tools),
        )
        return asdict(prompt)

    async def _run(self, question: Question, prompt: _Prompt, grant: Grant) -> Answer | Proposal:
        agent = await self._agent(prompt.model)
        usage = RunUsage()
        with capture_run_messages() as messages:
            try:
                result = await agent.run(
                    [*_files(prompt), prompt.context, visible(question.text)],
                    instructions=prompt.system,
                    deps=grant,
                    usage=usage,
                    usage_limits=self._budget.limits,
                )
                output = result.output
                if not await is_for(grant.readers, messages, self._toolset):
                    log.info("turn.answer_withheld", turn=str(question.turn))
                    output = WITHHELD
                if isinstance(output, DeferredToolRequests):
                    return propose(question.turn, output, self._toolset)
            except UsageLimitExceeded as error:
                log.warning("turn.budget_exhausted", turn=str(question.turn), reason=str(error))
                output = _stopped(EXHAUSTED, question, messages)
            except BudgetSpent as error:
                async with self._database.session(question.tenant) as session:
                    if await turns.changed(session, question.turn):
                        raise  # whoever ends the turn says so
                output = _stopped(error.user_text, question, messages)
            except (AgentRunError, FallbackExceptionGroup) as error:
                raise translate(error) from error
        passages = evidence.gather(messages)
        text, sources = citations.number(output, passages, {passage.id for passage in passages.values()})
        if question.summons is not None:
            text = f"**{question.text.removesuffix('?')}**\n\n{text}"
        answer = Answer(text=text, citations=tuple(sources), model=_model_name(messages), usage=_usage(usage))
        return await self.review(question, answer)

    async def review(self, question: Question, answer: Answer) -> Answer:
        """The answer as its readers may see it now: who may read its sources can change from the search to the post."""
        if not answer.citations:
            return answer
        cited = {citation.passage: citation.url for citation in answer.citations}
        audience = _audience(question)
        may_read = await readable(self._database, self._index, question, audience=audience, sources=cited)
        if withheld := set(cited) - may_read:
            log.info("turn.sources_withheld", turn=str(question.turn), sources=len(withheld))
        return citations.withhold(answer, may_read)

    async def _agent(self, model: str | None) -> Agent[Grant, str | DeferredToolRequests]:
        if model not in self._agents:
            self._agents[model] = build_agent(self._model_factory(model), self._toolset)
            await self._models.enter_async_context(self._agents[model])
        return self._agents[model]


def _files(prompt: _Prompt) -> list[UserContent]:
    shown: list[UserContent] = [TextContent(prompt.files, metadata=prompt.read)] if prompt.files else []
    for told, picture in prompt.pictures:
        shown += [TextContent(told), BinaryContent(b64decode(picture), media_type="image/jpeg")]
    return shown


def _audience(question: Question) -> Audience:
    asker = None if question.surface is Surface.TERMINAL else question.asker
    return Audience(tenant=question.tenant, asker=asker, place=question.place)


def _tools(question: Question, granted: Collection[str] | None) -> list[str] | None:
    """A digest is made of what was said in its period, and of nothing else."""
    if question.summons is not None:
        return [READ_PERIOD]
    return None if granted is None else list(granted)


def _period(question: Question) -> Period | None:
    if question.summons is None or question.summons.since is None:
        return None
    return Period(question.place.id, question.summons.since, question.summons.due)


def _stopped(why: str, question: Question, messages: list[ModelMessage]) -> str:
    """Why there is no answer, and the words that were found for one."""
    quotes = quote_from(question.text, evidence.results(messages))
    return "\n\n".join([why, FOUND, *quotes] if quotes else [why])


def _model_name(messages: list[ModelMessage]) -> str:
    responses = [message for message in messages if isinstance(message, ModelResponse)]
    return (responses[-1].model_name or "") if responses else ""


def _usage(usage: RunUsage) -> Usage:
    return Usage(
        requests=usage.requests,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        tool_calls=usage.tool_calls,
    )
