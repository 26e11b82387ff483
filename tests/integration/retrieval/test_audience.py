from __future__ import annotations

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.domain.passage import Origin
from athenaeum.retrieval.index import Index
from support.index import LetterEmbedder, Workspace, document, message

PUBLIC = {"general", "random", "attic"}
ANN = "ann"  # a member of secret, of her direct message and of the group; bob is not
CHANNELS = {
    "general": ("public", {"ann", "bob"}),
    "random": ("public", {"ann"}),
    "attic": ("public", {"ann"}),
    "lobby": ("public", {"ann", "gus"}),
    "secret": ("private", {"ann", "cleo"}),
    "vault": ("private", {"cleo"}),
    "dm-ann": ("im", {"ann"}),
    "dm-bob": ("im", {"bob"}),
    "dm-gus": ("im", {"gus"}),
    "group": ("mpim", {"ann", "cleo"}),
    "partners": ("private", {"ann", "stranger"}),
    "unknown": ("private", {"ann"}),
    "unknown-dm": ("im", {"ann"}),
}
EVERY_PUBLIC = PUBLIC | {"lobby"}


@pytest.fixture
async def company(database: DatabaseConnection, index: Index, workspace: Workspace) -> Workspace:
    """One message with the same words in each channel, and two documents."""
    for person in ("ann", "bob", "cleo"):
        await workspace.user(person)
    await workspace.user("gus", guest=True)
    for name, (kind, members) in CHANNELS.items():
        await workspace.channel(
            name,
            kind,
            *members,
            archived=name == "attic",
            shared=name == "partners",
            known=not name.startswith("unknown"),
        )
    async with database.session(DEFAULT_TENANT) as session:
        documents = [document("the treasure is buried"), document("the treasure is sold", is_open=True)]
        await index.put(session, DEFAULT_TENANT, "handbook", documents)
        for name in CHANNELS:
            await index.put(session, DEFAULT_TENANT, name, [message(f"the treasure of {name}", name)])
    return workspace


async def channels_found(index: Index, audience: Audience) -> set[str]:
    """The channels whose message is found, by words and by meaning alike; the open document always is."""
    found = await index.search("treasure", audience=audience, limit=50)
    documents = {passage.text.rsplit(" ", 1)[1] for passage in found if passage.origin is Origin.DOCUMENT}
    assert documents in ({"buried", "sold"}, {"sold"})
    readable = await index.readable({passage.id for passage in found}, audience)
    assert readable == {passage.id for passage in found}
    messages = {passage.text.rsplit(" ", 1)[1] for passage in found if passage.origin is Origin.MESSAGE}
    assert ("buried" in documents) is (messages >= PUBLIC), "who reads every public channel is one of us"
    return messages


CASES = {
    "public channel": ("bob", "general", "public", EVERY_PUBLIC),
    "public channel, asked by a member of private ones": (ANN, "general", "public", EVERY_PUBLIC),
    "private channel": (ANN, "secret", "private", EVERY_PUBLIC | {"secret"}),
    "private channel, asked by nobody of it": ("bob", "secret", "private", EVERY_PUBLIC),
    "private channel whose members are unknown": (ANN, "unknown", "private", set[str]()),
    "direct message": (ANN, "dm-ann", "im", EVERY_PUBLIC | {"secret", "group", "dm-ann", "partners"}),
    "direct message of another person": ("bob", "dm-bob", "im", EVERY_PUBLIC | {"dm-bob"}),
    "direct message whose members are unknown": (
        ANN,
        "unknown-dm",
        "im",
        EVERY_PUBLIC | {"secret", "group", "dm-ann", "partners"},
    ),
    "group message": (ANN, "group", "mpim", EVERY_PUBLIC | {"group"}),
    "shared channel": (ANN, "partners", "private", {"partners"}),
    "guest in a direct message": ("gus", "dm-gus", "im", {"dm-gus"}),
    "guest in a public channel": ("gus", "lobby", "public", {"lobby"}),
    "a guest reads along": (ANN, "lobby", "public", {"lobby"}),
    "asker nobody knows": ("mallory", "general", "public", {"general"}),
    "channel nobody knows": (ANN, "nowhere", "public", set[str]()),
    "terminal": (None, "terminal", "im", EVERY_PUBLIC),
    "terminal that claims a private channel": (None, "secret", "private", EVERY_PUBLIC),
}


@pytest.mark.parametrize(("asker", "place", "kind", "expected"), CASES.values(), ids=CASES.keys())
async def test_only_what_asker_and_destination_may_read_is_found(
    company: Workspace, index: Index, asker: str | None, place: str, kind: str, expected: set[str]
) -> None:
    assert await channels_found(index, company.audience(asker, place, kind)) == expected


async def test_a_place_that_says_it_is_shared_is_believed(company: Workspace, index: Index) -> None:
    assert await channels_found(index, company.audience(ANN, "general", "public", shared=True)) == {"general"}


@pytest.mark.parametrize("words", [True, False], ids=["by words", "by meaning"])
async def test_each_search_alone_keeps_to_the_rule(
    company: Workspace, database: DatabaseConnection, words: bool
) -> None:
    index = Index(database, None if words else LetterEmbedder())
    question = "treasure" if words else "the of"  # stop words have no postings
    found = await index.search(
        question, audience=company.audience("bob", "general", "public"), origins=frozenset({Origin.MESSAGE}), limit=50
    )
    assert {passage.text.rsplit(" ", 1)[1] for passage in found} == EVERY_PUBLIC


async def test_somebody_who_leaves_a_channel_stops_finding_it(
    company: Workspace, database: DatabaseConnection, index: Index
) -> None:
    audience = company.audience(ANN, "dm-ann", "im")
    secret = {p.id for p in await index.search("treasure secret", audience=audience, limit=50) if "secret" in p.text}
    assert await index.readable(secret, audience) == secret
    await company.leave("secret", ANN)
    assert await index.readable(secret, audience) == set()
    assert "secret" not in await channels_found(index, audience)


async def test_an_asker_who_was_deactivated_finds_what_strangers_find(company: Workspace, index: Index) -> None:
    await company.deactivate("bob")
    assert await channels_found(index, company.audience("bob", "general", "public")) == {"general"}


async def test_scores_say_nothing_about_passages_that_may_not_be_read(
    company: Workspace, database: DatabaseConnection, index: Index
) -> None:
    audience = company.audience("bob", "general", "public")
    before = await index.search("treasure general", audience=audience)
    async with database.session(DEFAULT_TENANT) as session:
        await index.put(session, DEFAULT_TENANT, "more", [message(f"general {n}", "vault") for n in range(30)])
    assert await index.search("treasure general", audience=audience) == before


async def test_equal_channel_ids_of_two_tenants_are_strangers(
    company: Workspace, database: DatabaseConnection, index: Index, other_tenant: TenantId
) -> None:
    theirs = Workspace(database, other_tenant)
    await theirs.user(ANN)
    await theirs.channel("secret", "private", ANN)
    async with database.session(other_tenant) as session:
        await index.put(session, other_tenant, "secret", [message("the treasure of others", "secret")])
    found = await index.search("treasure", audience=theirs.audience(ANN, "secret", "private"), limit=50)
    assert [passage.text for passage in found] == ["the treasure of others"]
    assert "others" not in await channels_found(index, company.audience(ANN, "dm-ann", "im"))
