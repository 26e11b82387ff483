"""A server over real HTTP, as clients and probes meet it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from fastmcp import Client

from athenaeum.mcp_servers.reader import Reader
from athenaeum.mcp_servers.topic import Topic
from support.product import Product
from support.relay import Relay
from support.side_doors import call, complaint, side_door


async def test_two_people_get_what_is_theirs_from_one_server(
    product: Product, database_url: str, reader: Callable[[str], Reader]
) -> None:
    async with (
        side_door(database_url) as door,
        door.client(reader("ines")) as ines,
        door.client(reader("maya")) as maya,
    ):
        hers = await call(ines, "list_channels", words="finance")
        nothing = await call(maya, "list_channels", words="finance")

    assert [channel["name"] for channel in hers["channels"]] == ["finance"]
    assert nothing["channels"] == []


async def test_clients_of_the_handshake_and_of_the_newest_revision_are_answered(
    product: Product, database_url: str, reader: Callable[[str], Reader]
) -> None:
    async with side_door(database_url, Topic.DOCS) as door:
        for mode in ("legacy", "auto"):
            async with Client(door.url, auth=await door.token(reader("maya")), mode=mode) as client:
                found = await call(client, "search_documents", query="retry a failed event")
                assert found["passages"]


async def test_health_and_metrics_are_beside_it(
    product: Product, database_url: str, reader: Callable[[str], Reader]
) -> None:
    async with side_door(database_url) as door:
        async with door.client(reader("maya")) as client:
            await call(client, "list_users")
            await complaint(client, "made_up_by_the_client")
        told = {path: (await door.http.get(path)).status_code for path in ("/health", "/ready", "/live")}
        parts = (await door.http.get("/health")).json()
        metrics = (await door.http.get("/metrics")).text

    assert told == {"/health": 200, "/ready": 200, "/live": 200}
    assert parts["database"]["status"] == "up"
    assert 'athenaeum_mcp_served_seconds_count{outcome="answered",tool="list_users"}' in metrics
    assert 'athenaeum_mcp_served_seconds_count{outcome="refused",tool="unknown"}' in metrics
    assert "made_up" not in metrics


async def test_a_page_that_was_led_here_is_not_answered(
    product: Product, database_url: str, reader: Callable[[str], Reader]
) -> None:
    async with side_door(database_url) as door:
        token = await door.token(reader("maya"))
        led = await door.begin(token, host="attacker.example")
        browsed = await door.begin(token, origin="https://attacker.example")
        outside = await door.begin(token, host="athenaeum.example", origin="https://athenaeum.example")

    assert (led.status_code, browsed.status_code, outside.status_code) == (421, 403, 200)


async def test_nobody_is_kept_listening_to_a_server_that_says_nothing_unasked(
    product: Product, database_url: str, reader: Callable[[str], Reader]
) -> None:
    async with side_door(database_url) as door:
        token = await door.token(reader("maya"))
        session = (await door.begin(token)).headers["mcp-session-id"]
        known = {"authorization": f"Bearer {token}", "mcp-session-id": session, "accept": "text/event-stream"}
        told = [(await door.http.get(door.topic.path, headers=headers)).status_code for headers in (known, {})]

    assert told == [405, 401]


async def test_while_the_database_is_away_nobody_hears_that_their_token_is_bad(
    product: Product, database_url: str, reader: Callable[[str], Reader]
) -> None:
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(Relay(database_url))
        door = await stack.enter_async_context(side_door(relay.url))
        token = await door.token(reader("maya"))
        assert (await door.begin(token)).status_code == 200
        relay.cut()

        away = await door.begin(token)
        health = await door.http.get("/ready")

    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert health.status_code == 503


async def test_a_person_who_asks_without_end_is_told_to_wait_and_others_are_not(
    product: Product, database_url: str, reader: Callable[[str], Reader]
) -> None:
    async with side_door(database_url) as door:
        eager, other = [await door.token(reader(name)) for name in ("maya", "tom")]
        sessions = {token: (await door.begin(token)).headers["mcp-session-id"] for token in (eager, other)}
        answers = [await door.post("tools/list", {}, token=eager, mcp_session_id=sessions[eager])]
        while "error" not in answers[-1].json() and len(answers) < 300:
            answers.append(await door.post("tools/list", {}, token=eager, mcp_session_id=sessions[eager]))
        heard = await door.post("tools/list", {}, token=other, mcp_session_id=sessions[other])

    assert len(answers) > 50
    assert "Rate limit exceeded" in answers[-1].text
    assert "tools" in heard.json()["result"]
