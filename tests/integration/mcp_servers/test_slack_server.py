"""The Slack server's tools, over a workspace that people talk in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastmcp import Client

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.llm.embeddings import Vectors
from athenaeum.mcp_servers.reader import Reader
from athenaeum.mcp_servers.slack import slack_server
from athenaeum.retrieval.index import Index
from athenaeum.slack.permalink import permalink
from support.index import LetterEmbedder
from support.product import Product
from support.side_doors import AskedBy, call, complaint

NOT_THERE = "There is no such channel among those that you may read. list_channels names them."


@pytest.fixture
def url(product: Product) -> str:
    """The workspace's address."""
    assert product.tenant.url is not None
    return product.tenant.url


def _texts(page: dict[str, Any]) -> list[str]:
    return [message["text"] for message in page["messages"]]


async def test_every_tool_says_that_it_only_reads_and_what_it_gives(slack_of: AskedBy) -> None:
    async with slack_of("maya") as client:
        tools = {tool.name: tool for tool in await client.list_tools()}

    assert set(tools) == {"list_channels", "list_users", "get_conversation", "search_messages"}
    for tool in tools.values():
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint, tool.annotations.open_world_hint) == (True, False)
        assert tool.output_schema is not None
        assert tool.description
        assert {"tenant", "user", "reader", "audience"}.isdisjoint(tool.input_schema["properties"])
        assert all("description" in shape for shape in tool.input_schema["properties"].values())


async def test_the_channels_of_a_person_are_listed_page_by_page(slack_of: AskedBy, product: Product, url: str) -> None:
    listed: list[dict[str, Any]] = []
    async with slack_of("maya") as client:
        page = await call(client, "list_channels", limit=2)
        listed += page["channels"]
        while page["next_cursor"]:
            page = await call(client, "list_channels", limit=2, cursor=page["next_cursor"])
            listed += page["channels"]
        named = await call(client, "list_channels", words="PLAT")

    assert sorted((one["name"], one["kind"], one["members"]) for one in listed) == [
        ("", "im", ["athenaeum", "maya"]),
        ("board", "private", []),
        ("platform", "public", []),
    ]
    [platform] = named["channels"]
    assert platform["link"] == f"{url}archives/{platform['id']}"


async def test_people_are_listed_but_strangers_of_unread_channels_are_not(
    slack_of: AskedBy, product: Product, url: str
) -> None:
    guests = "UPDATE slack_users SET is_guest = true WHERE name IN ('tom', 'ines') RETURNING 1"
    left = "DELETE FROM slack_members WHERE user_id = '{}' AND channel_id IN (SELECT channel_id FROM slack_channels"
    tom = product.person("tom").user.id
    await product.rows(guests, own=True)
    await product.rows(f"{left.format(tom)} WHERE name <> 'finance') RETURNING 1", own=True)

    async with slack_of("maya") as client:
        people = (await call(client, "list_users"))["users"]
        [maya] = (await call(client, "list_users", words="maya chen"))["users"]

    names = {person["name"]: person["is_guest"] for person in people}
    assert names["ines"] is True
    assert "tom" not in names
    assert maya["link"] == f"{url}team/{maya['id']}"


async def test_a_channel_is_read_from_its_newest_messages_back(slack_of: AskedBy, product: Product, url: str) -> None:
    maya = product.person("maya")
    for number in range(5):
        maya.say("platform", f"note {number}")
    reworded, gone = maya.say("platform", "note 5"), maya.say("platform", "note 6")
    maya.edit("platform", reworded.ts, "note five")
    maya.delete("platform", gone.ts)
    await product.rest()

    async with slack_of("tom") as client:
        newest = await call(client, "get_conversation", channel="#platform", limit=4)
        before = await call(client, "get_conversation", channel="platform", limit=100, cursor=newest["next_cursor"])

    assert _texts(newest) == ["note 2", "note 3", "note 4", "note five"]
    assert _texts(before)[-2:] == ["note 0", "note 1"]
    assert before["next_cursor"] is None
    [root] = [message for message in before["messages"] if "question about incidents" in message["text"]]
    assert (root["replies"], root["author"]) == (1, "maya")
    assert root["permalink"] == permalink(url, ChannelId(before["channel"]["id"]), MessageTs(root["ts"]))


async def test_a_thread_is_read_by_the_permalink_of_any_of_its_messages(
    slack_of: AskedBy, product: Product, url: str
) -> None:
    root = product.say("maya", "platform", "Where is the runbook?")
    replies = [product.say("tom", "platform", f"reply {number}", thread=root) for number in range(4)]
    await product.rest()
    link = permalink(url, ChannelId(root.channel), MessageTs(replies[0].ts), MessageTs(root.ts))

    async with slack_of("ines") as client:
        whole = await call(client, "get_conversation", channel=link)
        newest = await call(client, "get_conversation", channel=root.channel, thread_ts=root.ts, limit=2)
        older = await call(
            client, "get_conversation", channel=root.channel, thread_ts=root.ts, cursor=newest["next_cursor"]
        )

    assert _texts(whole) == ["Where is the runbook?", "reply 0", "reply 1", "reply 2", "reply 3"]
    assert whole["messages"][1]["permalink"] == link
    assert _texts(newest) == ["reply 2", "reply 3"]
    assert _texts(older) == ["Where is the runbook?", "reply 0", "reply 1"]
    assert older["next_cursor"] is None


async def test_of_a_channel_that_may_not_be_read_it_is_not_even_said_that_it_exists(
    slack_of: AskedBy, product: Product, url: str
) -> None:
    [secret] = product.person("ines").channel("finance").messages.values()
    finance = product.person("ines").channel("finance").id
    link = permalink(url, ChannelId(finance), MessageTs(secret.ts))

    async with slack_of("maya") as client:
        told = {await complaint(client, "get_conversation", channel=name) for name in ("finance", finance, link, "nil")}
        found = await call(client, "search_messages", query="acquisition budget heliotrope")
    async with slack_of("ines") as client:
        read = await call(client, "get_conversation", channel=link)

    assert told == {NOT_THERE}
    assert "heliotrope" not in str(found)
    assert _texts(read) == ["The acquisition budget is codename heliotrope."]


async def test_a_name_that_two_channels_have_is_refused_with_their_ids(slack_of: AskedBy, product: Product) -> None:
    twin = product.person("maya").create_channel("twin", ["tom", "athenaeum"], private=True)
    await product.rest()
    await product.rows(
        f"UPDATE slack_channels SET name = 'platform' WHERE channel_id = '{twin.id}' RETURNING 1", own=True
    )

    async with slack_of("tom") as client:
        told = await complaint(client, "get_conversation", channel="platform")
    async with slack_of("ines") as client:
        read = await call(client, "get_conversation", channel="platform")

    assert twin.id in told
    assert twin.id not in str(read)


async def test_what_is_found_leads_to_its_conversation(slack_of: AskedBy, url: str) -> None:
    async with slack_of("maya") as client:
        [found, *_] = (await call(client, "search_messages", query="who approves a rollback at night"))["messages"]
        thread = await call(
            client, "get_conversation", channel=found["channel_id"], thread_ts=found["thread_ts"], limit=10
        )

    assert (found["channel"], found["author"]) == ("#platform", "tom")
    assert found["permalink"].startswith(f"{url}archives/{found['channel_id']}/p")
    assert _texts(thread) == ["I have a question about incidents.", "The lead on call approves a rollback at night."]


async def test_what_nobody_should_see_or_repeat_is_taken_out_and_what_is_long_is_cut(
    slack_of: AskedBy, product: Product
) -> None:
    credential = "-".join(("xoxb", "1" * 12, "a" * 12))
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    product.say("maya", "platform", f"The token is {credential}.{hidden}")
    product.say("maya", "platform", "long words " * 1000)
    await product.rest()

    async with slack_of("tom") as client:
        *_, secret, long = _texts(await call(client, "get_conversation", channel="platform"))
        found = str(await call(client, "search_messages", query="the token is"))

    assert secret == "The token is [hidden]."
    assert (len(long) <= 4004, long[-3:]) == (True, "[…]")
    assert (credential in found, hidden in found) == (False, False)


async def test_a_page_of_long_messages_is_shorter_and_the_next_one_goes_on(slack_of: AskedBy, product: Product) -> None:
    for number in range(20):
        product.say("maya", "platform", f"{number} {'x' * 3900}")
    await product.rest()

    async with slack_of("tom") as client:
        newest = await call(client, "get_conversation", channel="platform", limit=20)
        before = await call(client, "get_conversation", channel="platform", limit=20, cursor=newest["next_cursor"])

    said = [words.split()[0] for words in _texts(before) + _texts(newest)]
    assert len(newest["messages"]) == 15
    assert said[-20:] == [str(number) for number in range(20)]


UNBOUNDED: list[tuple[str, dict[str, Any]]] = [
    ("list_channels", {"limit": 201}),
    ("list_users", {"limit": 0}),
    ("list_channels", {"words": "a\0b"}),
    ("get_conversation", {"channel": "platform", "limit": 101}),
    ("get_conversation", {"channel": ""}),
    ("get_conversation", {"channel": "platform", "cursor": "yesterday"}),
    ("get_conversation", {"channel": "plat\0form"}),
    ("search_messages", {"query": "a"}),
    ("search_messages", {"query": "a" * 301}),
    ("search_messages", {"query": "roll\0back"}),
    ("search_messages", {"query": "rollback", "tenant": "another"}),
]


async def test_arguments_are_bounded(slack_of: AskedBy) -> None:
    async with slack_of("maya") as client:
        for tool, arguments in UNBOUNDED:
            assert "validation error" in await complaint(client, tool, **arguments), arguments


class TalkativeEmbedder(LetterEmbedder):
    """Fails in words that are for nobody."""

    async def embed_query(self, text: str) -> Vectors:
        raise RuntimeError(f"no vector for {text!r} at postgresql://athenaeum:sesame@db")


async def test_a_fault_tells_nothing_of_itself(product: Product, reader: Callable[[str], Reader]) -> None:
    index = Index(product.running.database, TalkativeEmbedder())
    server = slack_server(product.running.database, index, whose=lambda: reader("maya"))
    async with Client(server) as client:
        told = await complaint(client, "search_messages", query="rollback")

    assert told == "Error calling tool 'search_messages'"


async def test_while_the_database_is_away_it_is_said_that_this_will_pass(reader: Callable[[str], Reader]) -> None:
    away = DatabaseConnection("postgresql://athenaeum@127.0.0.1:1/nowhere")
    server = slack_server(away, Index(away, None), whose=lambda: reader("maya"))
    async with away, Client(server) as client:
        told = await complaint(client, "list_channels")

    assert told == "The archive cannot be reached just now. Try again in a minute."
