"""One transaction an event: archived, and enqueued when it is a question. What commits may be acknowledged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations import archive, modes, openers, personal, questions, turns
from athenaeum.conversations.appointments import book
from athenaeum.conversations.archive import channels, eventlog, people, reactions, relocation
from athenaeum.conversations.archive.mrkdwn import without_mention
from athenaeum.conversations.archive.reactions import Reaction
from athenaeum.conversations.keywords import Keyword, read_keyword
from athenaeum.conversations.sync import refresh
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, TenantId, TurnId, turn_id
from athenaeum.domain.message import InboundMessage
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway import attention, clicks
from athenaeum.gateway.changes import (
    Archived,
    Change,
    Doubted,
    HomeOpened,
    Met,
    Moved,
    Nothing,
    Press,
    Reacted,
    Regranted,
    Relocated,
    Removed,
    Renamed,
    Stale,
    TalkOpened,
    Written,
)
from athenaeum.gateway.departure import DEPARTURES, depart
from athenaeum.gateway.envelope import Envelope
from athenaeum.gateway.hearing import Manner, hear
from athenaeum.gateway.inquiry import Inquiries, Inquiry
from athenaeum.gateway.normalize import normalize_event
from athenaeum.gateway.redirection import redirected
from athenaeum.gateway.refusal import Refusal, Refusals
from athenaeum.observability.metrics import INTAKE_SECONDS
from athenaeum.slack.client import SlackClient
from athenaeum.slack.incoming import Malformed
from athenaeum.tenants import register
from athenaeum.tenants.limits import TokenBucket, TooManyRequests

log = structlog.get_logger(__name__)


class Intake:
    """Stores what events tell. Every event may come several times, late, and out of order."""

    def __init__(
        self,
        database: DatabaseConnection,
        *,
        limit: TokenBucket | None = None,
        clients: Mapping[TenantId, SlackClient] | None = None,
    ) -> None:
        """Nothing is opened; without a `limit` every question is taken, and `clients` tell those of whom none is."""
        self._database = database
        self._limit = limit
        known = {} if clients is None else clients  # one that is empty may grow
        self._refusals = Refusals(database, known)
        self._inquiries = Inquiries(known)

    async def take_in(self, envelope: Envelope, tenant: Tenant) -> None:
        """Return once the event is committed.

        Raises:
            Malformed: the event is malformed, and would be next time.
        """
        if envelope.type in DEPARTURES:
            await depart(self._database, envelope, tenant)
            return
        started = time.perf_counter()
        try:
            change = normalize_event(envelope, tenant.bot_user)
        except Malformed:
            await self._keep(envelope, tenant)  # a later release may understand it
            raise
        if isinstance(change, Nothing):
            await self._keep(envelope, tenant)
            return
        async with self._database.session(tenant.id) as session:
            if isinstance(change, Relocated):
                await relocation.wait_for_events(session)
            writer = _Writer(session, tenant, envelope.event_id, self._limit)
            await writer.write(await _logged(session, envelope, change))
        INTAKE_SECONDS.observe(time.perf_counter() - started)
        if writer.refusal is not None:
            await self._refusals.tell(tenant.id, writer.refusal)
        if writer.inquiry is not None:
            await self._inquiries.ask(tenant.id, writer.inquiry)

    async def _keep(self, envelope: Envelope, tenant: Tenant) -> None:
        async with self._database.session(tenant.id) as session:
            await _logged(session, envelope, Nothing())


async def _logged(session: AsyncSession, envelope: Envelope, change: Change) -> Change:
    """Keep the event as it came; gives what it means for the channel as it is called now."""
    moved = None if envelope.body is None else await eventlog.append(session, envelope.type, envelope.body)
    return change if moved is None else redirected(change, moved)


class _Writer:
    """One event's writes."""

    def __init__(self, session: AsyncSession, tenant: Tenant, cause: str, limit: TokenBucket | None) -> None:
        self._session = session
        self._tenant = tenant
        self._cause = cause
        self._limit = limit
        self.refusal: Refusal | None = None
        self.inquiry: Inquiry | None = None

    async def write(self, change: Change) -> None:
        if isinstance(change, Press):
            self.inquiry = await clicks.take(self._session, self._tenant, change, cause=self._cause)
            return
        match change:
            case Written():
                await self._written(change)
            case Removed(channel, ts, at):
                await archive.erase(self._session, channel, ts, at=at)  # which also withdraws its question
                await questions.take_back(self._session, channel, ts)
                await turns.recall(self._session, channel, ts)
                await book.withdraw(self._session, self._tenant.id, channel, ts)
                await turns.withdraw(self._session, channel, ts)
            case Reacted(channel, ts, user, name, added, at):
                await reactions.react(self._session, channel, ts, Reaction(user, name), at=at, added=added)
            case HomeOpened() | TalkOpened():
                await self._visited(change)
            case Met(person):
                await people.save(self._session, [person])
            case Regranted():
                await self._regranted(change)
            case Nothing():
                pass
            case _:
                await self._channel_changed(change)

    async def _written(self, written: Written) -> None:
        message, speech = written.message, written.speech
        await self._meet(written)
        stored = await archive.record(self._session, message)
        if stored.is_deleted:
            await eventlog.blank(self._session, message.channel, message.ts)
            return
        if speech is None:
            return
        if speech.channel_kind is ChannelKind.DIRECT:
            await channels.pair(self._session, message.channel, speech.sender)
        # what is stored may be newer than what this event brought
        speech = replace(speech, text=without_mention(stored.text, self._tenant.bot_user))
        if written.revised:
            await questions.reword(self._session, message.channel, message.ts, speech.text)
        manner = await hear(self._session, self._tenant, written, speech, text=stored.text)
        if manner is not None:
            await self._take(speech, manner, apart=speech.mentions_bot and not written.revised)

    async def _take(self, speech: InboundMessage, manner: Manner, *, apart: bool) -> None:
        """Stop, add the message to a question that waits, or open its turn; who mentions the bot asks `apart`."""
        keyword = read_keyword(speech.text)
        joins = keyword is None and not apart and manner is not Manner.SUGGESTED
        if keyword is Keyword.STOP:
            await attention.stop(self._session, self._tenant.id, speech)
        elif joins and await questions.join(self._session, speech):
            await attention.turn_to(self._session, speech)
            log.info("question.joined", event_id=self._cause, channel=speech.channel)
        else:
            await self._asked(speech, manner)

    async def _asked(self, speech: InboundMessage, manner: Manner) -> None:
        session, tenant, limit = self._session, self._tenant.id, self._limit
        turn = turn_id(tenant, speech.channel, speech.ts)

        async def admit(new: TurnId) -> None:
            if not manner.awaits_answer:
                await modes.count_answer(session, speech.channel)
            if limit is not None:
                await limit.take(session, tenant, speech.channel, speech.sender, turn=new)

        try:
            opened = await turns.open_turn(
                session,
                tenant=tenant,
                surface=speech.surface,
                channel=speech.channel,
                message_ts=speech.ts,
                thread_ts=speech.thread_ts or speech.ts,
                asker=speech.sender,
                question=speech.text,
                whispered=manner is Manner.SUGGESTED,
                admit=admit,
            )
        except modes.CapReached as reason:
            await turns.refuse(session, turn, reason=str(reason))
            return
        except TooManyRequests as reason:
            await turns.refuse(session, turn, reason=str(reason))
            if manner.awaits_answer:
                self.refusal = Refusal(turn, speech, reason)
            return
        if opened is not None:
            if manner is not Manner.SUGGESTED:
                await attention.turn_to(session, speech)
            log.info("turn.opened", turn=str(turn), event_id=self._cause, channel=speech.channel, manner=manner.value)
        elif manner.awaits_answer and await turns.untold(session, turn):
            self.refusal = Refusal(turn, speech, TooManyRequests(timedelta(0)))

    async def _visited(self, change: HomeOpened | TalkOpened) -> None:
        session, tenant = self._session, self._tenant.id
        match change:
            case HomeOpened(user):
                await personal.show_home(session, tenant, user, cause=self._cause)
            case TalkOpened(channel, user):
                if await register.native_team(session) is not None:
                    await openers.want_openers(session, tenant, openers.Talk(channel, user), cause=self._cause)

    async def _meet(self, written: Written) -> None:
        message = written.message
        if await channels.meet(self._session, message.channel, written.kind):
            await self._read_again(message.channel)
        if message.user is not None and await people.meet(self._session, message.user):
            await refresh.refresh_person(self._session, self._tenant.id, message.user, cause=self._cause)

    async def _channel_changed(self, change: Moved | Renamed | Archived | Doubted | Stale | Relocated) -> None:
        session, channel = self._session, change.channel
        unknown = await channels.meet(session, channel, None)
        match change:
            case Moved(user=user) if user == self._tenant.bot_user:
                if not change.joined:
                    await book.end_of_channel(session, self._tenant.id, channel, before=change.at)
                # while the bot is outside, Slack doesn't tell us who comes and goes
                await channels.distrust(session, channel)
                unknown = True
            case Moved(_, user, joined, at):
                unknown = await channels.move(session, channel, channels.Move(user, joined, at)) or unknown
            case Renamed(_, name, at):
                await channels.rename(session, channel, name, at=at)
            case Archived(_, archived, at):
                await channels.archive(session, channel, archived=archived, at=at)
            case Relocated(_, old):
                channel = await relocation.relocate(session, self._tenant.id, old, channel)
                unknown = True
            case Doubted():
                await channels.distrust(session, channel)
                unknown = True
            case Stale():
                unknown = True
        if unknown:
            await self._read_again(channel)

    async def _regranted(self, change: Regranted) -> None:
        if not change.is_wider:  # which channels are lost, Slack tells when it is asked: until then nobody reads any
            await channels.distrust_all(self._session)
        await refresh.refresh_workspace(self._session, self._tenant.id, cause=self._cause)

    async def _read_again(self, channel: ChannelId) -> None:
        await refresh.refresh_channel(self._session, self._tenant.id, channel, cause=self._cause)
