"""One transaction an event: archived, and enqueued when it is a question. What commits may be acknowledged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations import archive, channels, people, questions, refresh, turns
from athenaeum.conversations.mrkdwn import without_mention
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, TenantId, TurnId, turn_id
from athenaeum.domain.message import InboundMessage
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.admission import opens_turn
from athenaeum.gateway.changes import (
    Archived,
    Change,
    Clicked,
    Doubted,
    Met,
    Moved,
    Nothing,
    Reacted,
    Removed,
    Renamed,
    Stale,
    Written,
)
from athenaeum.gateway.clicks import take_click
from athenaeum.gateway.envelope import Envelope
from athenaeum.gateway.normalize import normalize_event
from athenaeum.gateway.refusal import Refusal, Refusals
from athenaeum.observability.metrics import INTAKE_SECONDS
from athenaeum.slack.client import SlackClient
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
        self._refusals = Refusals(database, {} if clients is None else clients)  # one that is empty may grow

    async def take_in(self, envelope: Envelope, tenant: Tenant) -> None:
        """Return once the event is committed.

        Raises:
            Malformed: the event is malformed, and would be next time.
        """
        started = time.perf_counter()
        change = normalize_event(envelope, tenant.bot_user)
        if isinstance(change, Nothing):
            return
        async with self._database.session(tenant.id) as session:
            writer = _Writer(session, tenant, envelope.event_id, self._limit)
            await writer.write(change)
        INTAKE_SECONDS.observe(time.perf_counter() - started)
        if writer.refusal is not None:
            await self._refusals.tell(tenant.id, writer.refusal)


class _Writer:
    """One event's writes."""

    def __init__(self, session: AsyncSession, tenant: Tenant, cause: str, limit: TokenBucket | None) -> None:
        self._session = session
        self._tenant = tenant
        self._cause = cause
        self._limit = limit
        self.refusal: Refusal | None = None

    async def write(self, change: Change) -> None:
        match change:
            case Written():
                await self._written(change)
            case Removed(channel, ts):
                await archive.erase(self._session, channel, ts)  # which also withdraws its question
                await turns.recall(self._session, channel, ts)
            case Clicked():
                await take_click(self._session, self._tenant, change, cause=self._cause)
            case Reacted(channel, ts, user, name, added):
                react = archive.react if added else archive.unreact
                await react(self._session, channel, ts, user=user, name=name)
            case Met(person):
                await people.save(self._session, [person])
            case Nothing():
                pass
            case _:
                await self._channel_changed(change)

    async def _written(self, written: Written) -> None:
        message, speech = written.message, written.speech
        await self._meet(written)
        stored = await archive.record(self._session, message)
        if speech is None or stored.is_deleted:
            return
        if speech.channel_kind is ChannelKind.DIRECT:
            await channels.pair(self._session, message.channel, speech.sender)
        # what is stored may be newer than what this event brought
        speech = replace(speech, text=without_mention(stored.text, self._tenant.bot_user))
        if written.revised:
            await questions.reword(self._session, message.channel, message.ts, speech.text)
        if opens_turn(written):
            await self._asked(speech)

    async def _asked(self, speech: InboundMessage) -> None:
        session, tenant, limit = self._session, self._tenant.id, self._limit
        turn = turn_id(tenant, speech.channel, speech.ts)

        async def admit(new: TurnId) -> None:
            if limit is not None:
                await limit.take(session, tenant, speech.channel, turn=new)

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
                admit=admit,
            )
        except TooManyRequests as reason:
            await turns.refuse(session, turn, reason=str(reason))
            self.refusal = Refusal(turn, speech, reason)
            return
        if opened is not None:
            log.info("turn.opened", turn=str(turn), event_id=self._cause, channel=speech.channel)
        elif await turns.untold(session, turn):
            self.refusal = Refusal(turn, speech, TooManyRequests(timedelta(0)))

    async def _meet(self, written: Written) -> None:
        message = written.message
        if await channels.meet(self._session, message.channel, written.kind):
            await self._read_again(message.channel)
        if message.user is not None and await people.meet(self._session, message.user):
            await refresh.refresh_person(self._session, self._tenant.id, message.user, cause=self._cause)

    async def _channel_changed(self, change: Moved | Renamed | Archived | Doubted | Stale) -> None:
        session, channel = self._session, change.channel
        unknown = await channels.meet(session, channel, None)
        match change:
            case Moved(_, user) if user == self._tenant.bot_user:
                # while the bot is outside, Slack doesn't tell us who comes and goes
                await channels.distrust(session, channel)
                unknown = True
            case Moved(_, user, joined):
                unknown = await channels.move(session, channel, user, joined=joined) or unknown
            case Renamed(_, name):
                await channels.rename(session, channel, name)
            case Archived(_, archived):
                await channels.archive(session, channel, archived=archived)
            case Doubted():
                await channels.distrust(session, channel)
                unknown = True
            case Stale():
                unknown = True
        if unknown:
            await self._read_again(channel)

    async def _read_again(self, channel: ChannelId) -> None:
        await refresh.refresh_channel(self._session, self._tenant.id, channel, cause=self._cause)
