from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.errors import Misconfigured, Refused, RetryLater
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import (
    Ambiguous,
    CallRefused,
    ContentRefused,
    Duplicate,
    MessageGone,
    MissingScope,
    RateLimited,
    SlackFailure,
    TokenRefused,
    Unreachable,
    failure,
)
from athenaeum.slack.post import Post
from slacksim import scenario
from slacksim.faults import Fault, Mode
from slacksim.people import Person
from slacksim.server import SlackSim


@pytest.fixture
async def sim() -> AsyncGenerator[SlackSim]:
    async with SlackSim(scenario.load()) as running:
        yield running


@pytest.fixture
async def slack(sim: SlackSim) -> AsyncGenerator[SlackClient]:
    async with SlackClient(sim.world.app.bot_token, base_url=sim.api_url, timeout=timedelta(seconds=2)) as client:
        yield client


def fault(sim: SlackSim, method: str, mode: Mode, **values: Any) -> None:
    sim.simulation.faults.plan(Fault(method, mode, **values))


def calls(sim: SlackSim, method: str = "") -> int:
    return len(sim.simulation.calls.of(method))


def question(sim: SlackSim) -> Post:
    asked = Person.named(sim.world, "maya").say("platform", "Why?")
    return Post(
        ChannelId(asked.channel), MessageTs(asked.ts), "Because.", (), uuid4(), {"event_type": "x", "event_payload": {}}
    )


async def test_auth_test_tells_who_the_token_belongs_to(sim: SlackSim, slack: SlackClient) -> None:
    identity = await slack.auth_test()
    assert (identity.team_id, identity.bot_user, identity.bot_id) == (
        sim.world.team.id,
        sim.world.app.user_id,
        sim.world.app.bot_id,
    )
    assert "chat:write" in identity.scopes


async def test_a_post_whose_response_is_lost_is_not_repeated(sim: SlackSim, slack: SlackClient) -> None:
    fault(sim, "chat.postMessage", "drop_after")
    with pytest.raises(Ambiguous):
        await slack.post_message(question(sim))
    assert calls(sim, "chat.postMessage") == 1


@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "500", "error"])
async def test_a_failure_that_may_have_had_an_effect_is_ambiguous(
    sim: SlackSim, slack: SlackClient, mode: Mode
) -> None:
    fault(sim, "chat.postMessage", mode)
    with pytest.raises(Ambiguous):
        await slack.post_message(question(sim))


async def test_a_call_without_an_answer_ends_after_its_timeout(sim: SlackSim) -> None:
    fault(sim, "chat.postMessage", "slow", seconds=1)
    hasty = SlackClient(sim.world.app.bot_token, base_url=sim.api_url, timeout=timedelta(milliseconds=100))
    async with hasty as client:
        with pytest.raises(Ambiguous, match="TimeoutError"):
            await client.post_message(question(sim))


async def test_a_rate_limit_tells_its_time_and_closes_the_method_for_as_long(sim: SlackSim, slack: SlackClient) -> None:
    fault(sim, "chat.postMessage", "429", retry_after=7)
    for _ in range(2):
        with pytest.raises(RateLimited) as limited:
            await slack.post_message(question(sim))
        assert limited.value.after is not None
        assert timedelta(seconds=6) < limited.value.after <= timedelta(seconds=7)
    assert calls(sim, "chat.postMessage") == 1


async def test_a_read_waits_out_a_rate_limit_and_a_lost_connection(sim: SlackSim, slack: SlackClient) -> None:
    fault(sim, "users.list", "429", retry_after=1)
    fault(sim, "users.list", "drop_before")
    names = [user["name"] async for user in slack.users()]
    assert "maya" in names
    assert calls(sim, "users.list") == 3


async def test_a_read_gives_up_after_five_attempts(
    sim: SlackSim, slack: SlackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("athenaeum.slack.client._FIRST_PAUSE", timedelta(milliseconds=1))
    fault(sim, "users.list", "500", times=100)
    with pytest.raises(Ambiguous):
        _ = [user async for user in slack.users()]
    assert calls(sim, "users.list") == 5


async def test_a_read_does_not_wait_longer_than_a_minute(sim: SlackSim, slack: SlackClient) -> None:
    fault(sim, "users.list", "429", retry_after=90)
    with pytest.raises(RateLimited):
        _ = [user async for user in slack.users()]


async def test_long_lists_come_page_by_page(sim: SlackSim, slack: SlackClient) -> None:
    post = question(sim)
    maya = Person.named(sim.world, "maya")
    for n in range(250):
        maya.say(post.channel, f"Reply {n}", thread_ts=post.thread_ts)
    assert post.thread_ts is not None
    texts = [message["text"] async for message in slack.replies(post.channel, post.thread_ts)]
    assert texts == ["Why?", *(f"Reply {n}" for n in range(250))]
    assert calls(sim, "conversations.replies") == 2


async def test_what_the_workspace_holds_can_be_read(sim: SlackSim, slack: SlackClient) -> None:
    post = question(sim)
    channels = {channel["name"]: channel async for channel in slack.channels() if "name" in channel}
    assert channels["platform"]["id"] == post.channel
    assert (await slack.channel_info(post.channel))["name"] == "platform"
    assert post.thread_ts in [message["ts"] async for message in slack.history(post.channel)]
    members = [member async for member in slack.members(post.channel)]
    assert sim.world.app.user_id in members
    assert (await slack.user_info(UserId(sim.world.app.user_id)))["is_bot"]


async def test_a_revoked_token_names_the_setting_that_mends_it(sim: SlackSim, slack: SlackClient) -> None:
    sim.world.app.is_revoked = True
    with pytest.raises(TokenRefused, match="SLACK_BOT_TOKEN"):
        await slack.auth_test()


async def test_a_missing_scope_is_named(sim: SlackSim, slack: SlackClient) -> None:
    sim.world.app.scopes.remove("users:read")
    with pytest.raises(MissingScope, match=r"users:read.*athenaeum slack manifest"):
        _ = [user async for user in slack.users()]


async def test_a_client_may_be_closed_twice_and_then_says_so(slack: SlackClient) -> None:
    await slack.close()
    await slack.close()
    with pytest.raises(Misconfigured):
        await slack.auth_test()


@pytest.mark.parametrize(
    ("code", "kind", "outcome"),
    [
        ("internal_error", Ambiguous, RetryLater),
        ("duplicate_message_not_found", Duplicate, RetryLater),
        ("not_in_channel", Unreachable, Refused),
        ("thread_not_found", Unreachable, Refused),
        ("message_not_found", MessageGone, Refused),
        ("msg_blocks_too_long", ContentRefused, Refused),
        ("missing_scope", MissingScope, Misconfigured),
        ("account_inactive", TokenRefused, Misconfigured),
        ("something_new", CallRefused, Refused),
    ],
)
def test_each_code_says_what_happens_next(code: str, kind: type[SlackFailure], outcome: type[Exception]) -> None:
    error = failure("chat.postMessage", code)
    assert type(error) is kind
    assert isinstance(error, outcome)
    assert (error.method, error.code) == ("chat.postMessage", code)
