"""The first question in a place that was never read: it waits shortly, until people and history there are known."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import turns
from athenaeum.conversations.archive.indexing import is_indexed
from athenaeum.conversations.sync import refresh
from athenaeum.domain.channel import Surface

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.turn import Question

log = structlog.get_logger(__name__)

PATIENCE = timedelta(seconds=8)
"""After which the question is asked with what is known: too little is found then, nothing is shown wrongly."""
_GLANCE = timedelta(milliseconds=100)


async def get_to_know(database: DatabaseConnection, question: Question, *, patience: timedelta = PATIENCE) -> Question:
    """Wait while the place or the asker is about to be read from Slack; gives the question as it stands then."""
    if question.surface is Surface.TERMINAL:
        return question
    began, waited = monotonic(), False
    while not await _is_known(database, question, patience=patience, in_index=waited):
        waited = True
        if monotonic() - began > patience.total_seconds():
            log.warning("turn.place_unread", turn=str(question.turn), channel=question.place.id)
            break
        await asyncio.sleep(_GLANCE.total_seconds())
    if not waited:
        return question
    async with database.session(question.tenant) as session:
        return await turns.question(session, await turns.look(session, question.turn))


async def _is_known(database: DatabaseConnection, question: Question, *, patience: timedelta, in_index: bool) -> bool:
    place, asker = question.place.id, question.asker
    async with database.session(question.tenant) as session:
        if await refresh.is_due(session, place, asker, within=patience):
            return False
        return not in_index or await is_indexed(session, place, before=question.message_ts)
