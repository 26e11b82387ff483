from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, PassageId, TenantId
from athenaeum.domain.passage import Origin
from athenaeum.retrieval import catalogue
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.passages import NewPassage
from support.index import TERMINAL, LetterEmbedder, Workspace, document, message

RETRY = document("Run athenaeum events retry with the id of the failed event.", heading="Operations > Retrying")
LUNCH = document("The kitchen serves soup at noon and pancakes on Fridays.", heading="Office > Food")
DEPLOY = document("A release is deployed by pushing a tag; rollback_release undoes it.", heading="Releases")


async def put(
    database: DatabaseConnection, index: Index, key: str, *passages: NewPassage, tenant: TenantId = DEFAULT_TENANT
) -> int:
    async with database.session(tenant) as session:
        return await index.put(session, tenant, key, passages)


async def count(database: DatabaseConnection, table: str, tenant: TenantId = DEFAULT_TENANT) -> int:
    async with database.session(tenant) as session:
        return (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


async def test_the_passage_that_has_the_words_comes_first(database: DatabaseConnection, index: Index) -> None:
    await put(database, index, "handbook", LUNCH, RETRY, DEPLOY)
    found = await index.search("how do I retry failed events?", audience=TERMINAL)
    assert found[0].text == RETRY.text
    assert found[0].heading == "Operations > Retrying"
    assert found[0].score > found[1].score


async def test_a_part_of_an_identifier_finds_it(database: DatabaseConnection, index: Index) -> None:
    await put(database, index, "handbook", LUNCH, RETRY, DEPLOY)
    assert (await index.search("rollback", audience=TERMINAL))[0].text == DEPLOY.text


async def test_a_word_of_the_heading_finds_the_passage(database: DatabaseConnection, index: Index) -> None:
    await put(database, index, "handbook", LUNCH, RETRY, DEPLOY)
    assert (await index.search("office", audience=TERMINAL))[0].text == LUNCH.text


async def test_without_an_embedder_words_are_enough(database: DatabaseConnection) -> None:
    index = Index(database, None)
    await put(database, index, "handbook", LUNCH, RETRY)
    assert [passage.text for passage in await index.search("soup", audience=TERMINAL)] == [LUNCH.text]
    assert await index.embed_missing(DEFAULT_TENANT) == 0


async def test_search_goes_on_while_the_embedder_does_not_answer(
    database: DatabaseConnection, index: Index, embedder: LetterEmbedder
) -> None:
    embedder.answers = False
    await put(database, index, "handbook", LUNCH, RETRY)
    assert [passage.text for passage in await index.search("soup", audience=TERMINAL)] == [LUNCH.text]
    assert await count(database, "embeddings") == 0


async def test_whether_what_was_found_still_stands_is_asked_of_its_messages_alone(
    database: DatabaseConnection, index: Index, workspace: Workspace
) -> None:
    await workspace.channel("C1", "public")
    async with database.session(DEFAULT_TENANT) as session:
        await session.execute(
            text(
                "INSERT INTO slack_messages (tenant_id, channel_id, ts, sent_at, text, metadata)"
                " SELECT athenaeum_tenant(), 'C1', n || '.000000', to_timestamp(n), 'soup', '{}'"
                " FROM generate_series(1, 3000) AS n"
            )
        )
        soups = {f"slack:C1:{number}.000000": [message("soup", "C1")] for number in range(1, 9)}
        await index.put_all(session, DEFAULT_TENANT, soups, embed=False)
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as owner:
        await owner.execute("ANALYZE")

    async with database.session(DEFAULT_TENANT) as session:
        stored = await session.scalars(text("SELECT passage_id FROM passages"))
        found = await catalogue.fetch(session, dict.fromkeys(map(PassageId, stored), 0.0))
        read = await session.scalar(
            text("SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname ~ '^(slack_messages|_hyper_)'")
        )

    assert len(found) == 8
    assert read == 0


async def test_many_sources_are_put_at_once_and_the_empty_ones_taken_out(
    database: DatabaseConnection, index: Index
) -> None:
    await put(database, index, "old", LUNCH)
    await put(database, index, "kept", RETRY)
    sources = {"old": (), "kept": (RETRY,), "new": (DEPLOY, DEPLOY), "other": (DEPLOY,)}

    async with database.session(DEFAULT_TENANT) as session:
        new = await index.put_all(session, DEFAULT_TENANT, sources)

    assert new == 3
    async with database.session(DEFAULT_TENANT) as session:
        rows = await session.execute(text("SELECT source_key, position FROM passages ORDER BY 1, 2"))
        assert [tuple(row) for row in rows] == [("kept", 0), ("new", 0), ("new", 1), ("other", 0)]
    assert await index.embed_missing(DEFAULT_TENANT) == 0
    by_words = Index(database, None)
    assert await by_words.search("soup", audience=TERMINAL) == []
    assert len(await by_words.search("deployed", audience=TERMINAL)) == 3


async def test_what_the_embedder_missed_is_embedded_later(
    database: DatabaseConnection, index: Index, embedder: LetterEmbedder
) -> None:
    embedder.answers = False
    await put(database, index, "handbook", LUNCH, RETRY)
    embedder.answers = True
    heard: list[tuple[int, int]] = []
    assert await index.embed_missing(DEFAULT_TENANT, lambda done, total: heard.append((done, total))) == 2
    assert heard == [(2, 2)]
    assert await index.embed_missing(DEFAULT_TENANT) == 0
    assert await count(database, "embeddings") == 2


async def test_another_embedder_embeds_everything_again_and_replaces_the_vectors(
    database: DatabaseConnection, index: Index
) -> None:
    await put(database, index, "handbook", LUNCH, RETRY)
    successor = Index(database, LetterEmbedder("successor"))
    assert await successor.embed_missing(DEFAULT_TENANT) == 2
    assert await count(database, "embeddings") == 2


async def test_a_question_that_has_only_stop_words_is_answered_by_meaning(
    database: DatabaseConnection, index: Index
) -> None:
    await put(database, index, "handbook", LUNCH, RETRY)
    assert len(await index.search("what is it?", audience=TERMINAL)) == 2


@pytest.mark.parametrize(
    "query", ["", "   ", "\0", "' OR 1=1 --", "%s :tenant", "(((", "\ud800", "?" * 5000, "a b " * 9000]
)
async def test_no_question_breaks_the_search(database: DatabaseConnection, index: Index, query: str) -> None:
    await put(database, index, "handbook", LUNCH)
    await index.search(query, audience=TERMINAL)


async def test_a_word_in_full_width_or_with_accents_finds_the_plain_one(
    database: DatabaseConnection, index: Index
) -> None:
    await put(database, index, "menu", document("The cafe opens at nine."), document("東京都の天気"))
    keywords = Index(database, None)
    assert (await keywords.search("café", audience=TERMINAL))[0].text == "The cafe opens at nine."
    assert (await keywords.search("京都の", audience=TERMINAL))[0].text == "東京都の天気"


async def test_putting_the_same_again_embeds_nothing_and_keeps_the_ids(
    database: DatabaseConnection, index: Index, embedder: LetterEmbedder
) -> None:
    assert await put(database, index, "handbook", LUNCH, RETRY) == 2
    before = await index.search("soup retry", audience=TERMINAL)
    embedder.texts.clear()
    assert await put(database, index, "handbook", RETRY, LUNCH) == 0
    assert embedder.texts == []
    assert await index.search("soup retry", audience=TERMINAL) == before


async def test_only_a_changed_passage_is_embedded_again(
    database: DatabaseConnection, index: Index, embedder: LetterEmbedder
) -> None:
    await put(database, index, "handbook", LUNCH, RETRY)
    embedder.texts.clear()
    assert await put(database, index, "handbook", replace(LUNCH, text="The kitchen is closed."), RETRY) == 1
    assert len(embedder.texts) == 1
    assert await index.search("soup", audience=TERMINAL, origins=frozenset({Origin.DOCUMENT})) != []
    assert [p.text for p in await Index(database, None).search("soup", audience=TERMINAL)] == []


async def test_a_new_address_reaches_a_passage_that_stays(database: DatabaseConnection, index: Index) -> None:
    await put(database, index, "handbook", replace(LUNCH, url="https://old.example/"))
    assert await put(database, index, "handbook", replace(LUNCH, url="https://new.example/#food")) == 0
    assert (await index.search("soup", audience=TERMINAL))[0].url == "https://new.example/#food"


async def test_a_removed_source_leaves_nothing_behind(database: DatabaseConnection, index: Index) -> None:
    await put(database, index, "handbook", LUNCH, RETRY)
    await put(database, index, "releases", DEPLOY)
    async with database.session(DEFAULT_TENANT) as session:
        await index.remove(session, DEFAULT_TENANT, "handbook")
        await index.remove(session, DEFAULT_TENANT, "releases")
    for table in ("passages", "postings", "embeddings"):
        assert await count(database, table) == 0, table
    async with database.session(DEFAULT_TENANT) as session:
        assert (await session.execute(text("SELECT passages, length FROM shelves"))).one() == (0, 0)


async def test_removing_one_source_leaves_the_others_postings(database: DatabaseConnection, index: Index) -> None:
    await put(database, index, "one", document("shared words here"))
    await put(database, index, "two", document("shared words there"))
    async with database.session(DEFAULT_TENANT) as session:
        await index.remove(session, DEFAULT_TENANT, "one")
    found = await Index(database, None).search("shared words", audience=TERMINAL)
    assert [passage.text for passage in found] == ["shared words there"]


async def test_origins_choose_between_documents_and_messages(
    database: DatabaseConnection, index: Index, workspace: Workspace
) -> None:
    await workspace.channel("C1", "public")
    await put(database, index, "handbook", LUNCH)
    await put(database, index, "C1:1", message("soup again", "C1"))
    for origin in (Origin.DOCUMENT, Origin.MESSAGE):
        found = await index.search("soup", audience=TERMINAL, origins=frozenset({origin}))
        assert [passage.origin for passage in found] == [origin]


async def test_the_same_words_of_another_tenant_are_never_found(
    database: DatabaseConnection, index: Index, other_tenant: TenantId
) -> None:
    await put(database, index, "handbook", LUNCH, tenant=other_tenant)
    assert await index.search("soup kitchen pancakes", audience=TERMINAL) == []
    theirs = await index.search("soup", audience=replace(TERMINAL, tenant=other_tenant))
    assert [passage.text for passage in theirs] == [LUNCH.text]
    assert await index.readable({theirs[0].id}, TERMINAL) == set()


async def test_an_unknown_passage_is_not_readable(index: Index) -> None:
    assert await index.readable({PassageId(4711)}, TERMINAL) == set()


async def test_a_character_that_cannot_be_stored_is_dropped(database: DatabaseConnection, index: Index) -> None:
    await put(database, index, "odd", document("nul\0 and \ud800 surrogate"))
    assert (await index.search("surrogate", audience=TERMINAL))[0].text == "nul and  surrogate"


def test_a_message_without_a_channel_is_refused() -> None:
    with pytest.raises(ValueError, match="channel_id"):
        NewPassage(Origin.MESSAGE, "#general", "hello")
