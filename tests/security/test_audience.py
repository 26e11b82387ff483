"""Control 1, beneath the product: over random memberships the rule gives no shelf that somebody there may not read."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.retrieval.audience import DOCUMENTS, OPEN_DOCUMENTS, readable_shelves
from support.membership import Channel, Society, Standing, societies

STORM = os.environ.get("ATHENAEUM_STORM", "") not in {"", "0"}
SOCIETIES = 5000 if STORM else 150
"""Each asks some ten times."""

pytestmark = pytest.mark.timeout(3600 if STORM else 120)


async def _answers(database: DatabaseConnection, society: Society) -> list[tuple[Audience, frozenset[str], set[str]]]:
    """Every audience with the people in it and the shelves it is given; leaves nothing in the database."""
    async with database.session(DEFAULT_TENANT) as session:
        await society.settle(session)
        given_: list[tuple[Audience, frozenset[str], set[str]]] = []
        for audience, readers in society.audiences(DEFAULT_TENANT):
            statement, parameters = readable_shelves(audience)
            given_.append((audience, readers, set(await session.scalars(text(statement), parameters))))
        await session.rollback()
    return given_


@settings(max_examples=SOCIETIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(societies())
async def test_whatever_is_searched_may_be_read_by_everybody_who_reads_the_answer(
    database: DatabaseConnection, society: Society
) -> None:
    for audience, readers, shelves in await _answers(database, society):
        for shelf in shelves:
            assert readers <= society.shelf_readers(shelf), (audience, shelf)


@settings(max_examples=SOCIETIES // 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(societies())
async def test_what_everybody_may_read_is_searched(database: DatabaseConnection, society: Society) -> None:
    channels = {channel.id: channel for channel in society.channels}
    for audience, readers, shelves in await _answers(database, society):
        ours = readers <= society.shelf_readers(DOCUMENTS)
        assert OPEN_DOCUMENTS in shelves
        assert (DOCUMENTS in shelves) is ours, audience
        if audience.place is not None:
            place = channels[audience.place.id]
            assert (place.id in shelves) is (place.known or place.kind is ChannelKind.PUBLIC), audience
        elif ours:
            assert shelves >= {each.id for each in society.channels if each.known and readers <= each.members}
        if ours:
            assert shelves >= {channel.id for channel in society.channels if channel.kind is ChannelKind.PUBLIC}


PEOPLE: dict[str, Standing] = {"ann": "member", "bob": "member", "gus": "guest", "sam": "unknown"}


def _channel(name: str, kind: ChannelKind, *members: str, shared: bool = False, known: bool = True) -> Channel:
    return Channel(name, kind, frozenset(members), shared=shared, known=known)


@pytest.mark.parametrize(
    "place",
    [
        _channel("place", ChannelKind.PUBLIC, "ann", shared=True),
        _channel("place", ChannelKind.PUBLIC, "ann", "gus"),
        _channel("place", ChannelKind.PUBLIC, "ann", "sam"),
        _channel("place", ChannelKind.PUBLIC, "ann", known=False),
        _channel("place", ChannelKind.PRIVATE, "ann", "gus"),
        _channel("place", ChannelKind.PRIVATE, "ann", known=False),
        _channel("place", ChannelKind.GROUP, "ann", "bob", shared=True),
    ],
    ids=[
        "shared",
        "guest",
        "nobody known",
        "members unknown",
        "private with a guest",
        "private unknown",
        "group shared",
    ],
)
async def test_where_strangers_may_read_along_only_the_place_and_open_documents_are_searched(
    database: DatabaseConnection, place: Channel
) -> None:
    elsewhere = (_channel("hall", ChannelKind.PUBLIC, "ann", "bob"), _channel("vault", ChannelKind.PRIVATE, "ann"))
    for audience, _, shelves in await _answers(database, Society(PEOPLE, (place, *elsewhere))):
        if audience.place is not None and audience.place.id == "place":
            assert shelves <= {"place", OPEN_DOCUMENTS}
