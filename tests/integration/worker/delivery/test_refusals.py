"""What Slack answers instead of yes, and what a reader sees of the answer then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from athenaeum.domain.turn import Answer
from athenaeum.slack.errors import RateLimited, Unreachable
from athenaeum.worker.delivery.content import PLACEHOLDER
from athenaeum.worker.delivery.posting import Posting
from support.stage import ANSWER, HASTY, ScriptedAgent, Stage

RULES = [
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_non_threadable_channel",
    "ekm_access_denied",
    "team_access_not_granted",
    "thread_not_found",
]


@pytest.fixture
def patient(stage: Stage) -> Stage:
    """A stage that waits longer for Slack than any machine is slow."""
    stage.timing = replace(HASTY, patience=timedelta(seconds=60))
    return stage


async def forever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("code", RULES)
async def test_a_rule_against_posting_there_ends_the_turn_after_one_try(stage: Stage, code: str) -> None:
    turn = await stage.ask()
    stage.fault("chat.postMessage", "error", error=code, times=100)
    event, handler = stage.event(turn), stage.handler(ScriptedAgent(meanwhile=forever))

    with pytest.raises(Unreachable, match=code) as refused:
        await handler.handle(event)
    await handler.give_up(event, refused.value)

    found = await stage.look(turn)
    assert found.finished_at is not None
    assert code in (found.error or "")
    assert len(stage.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("code", ["restricted_action", "ekm_access_denied", "is_archived"])
async def test_a_rule_that_comes_while_the_model_works_ends_the_turn_and_leaves_no_doubt(
    stage: Stage, code: str
) -> None:
    turn = await stage.ask()
    event, handler = stage.event(turn), stage.handler(ScriptedAgent())
    taken, token = await stage.take(turn)
    await stage.delivery.placeholder(taken, token)
    event = stage.event(turn)
    stage.fault("chat.update", "error", error=code, times=100)

    with pytest.raises(Unreachable, match=code) as refused:
        await handler.handle(event)
    await handler.give_up(event, refused.value)

    assert (await stage.look(turn)).finished_at is not None
    assert await stage.texts(turn) == [PLACEHOLDER.text]
    assert len(stage.calls("chat.update")) <= 2


@pytest.mark.parametrize("code", ["msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_what_slack_will_not_take_in_blocks_it_is_given_in_plain_text(
    stage: Stage, method: str, code: str
) -> None:
    turn, token = await stage.take(await stage.ask())
    if method == "chat.update":
        await stage.delivery.placeholder(turn, token)
    stage.fault(method, "error", error=code)

    await stage.delivery.deliver(turn, token, ANSWER)

    (message,) = stage.shown(turn)
    assert (message.text, message.blocks) == ("Retry it with athenaeum events retry.", [])


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
async def test_a_message_that_may_not_be_edited_is_followed_by_one_that_answers(stage: Stage, code: str) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, token)
    stage.fault("chat.update", "error", error=code)

    await stage.delivery.deliver(turn, token, ANSWER)

    assert await stage.texts(turn.id) == [ANSWER.text]


@pytest.mark.parametrize("known", [True, False], ids=["client_msg_id_on", "client_msg_id_off"])
@pytest.mark.parametrize("code", ["internal_error", "fatal_error"])
async def test_a_post_that_stands_though_slack_says_otherwise_is_adopted(
    patient: Stage, code: str, known: bool
) -> None:
    if not known:
        patient.ignore_client_msg_ids()
    turn, token = await patient.take(await patient.ask())
    patient.fault("chat.postMessage", "error_after", error=code)

    await patient.delivery.deliver(turn, token, ANSWER)

    assert await patient.texts(turn.id) == [ANSWER.text]


@pytest.mark.parametrize("code", ["internal_error", "fatal_error"])
async def test_an_update_that_took_effect_though_slack_says_otherwise_shows_the_same(patient: Stage, code: str) -> None:
    turn, token = await patient.take(await patient.ask())
    await patient.delivery.placeholder(turn, token)
    patient.fault("chat.update", "error_after", error=code)

    await patient.delivery.deliver(turn, token, ANSWER)

    assert await patient.texts(turn.id) == [ANSWER.text]


async def test_a_post_whose_answer_takes_too_long_is_found_and_not_repeated(patient: Stage) -> None:
    turn, token = await patient.take(await patient.ask())
    patient.ignore_client_msg_ids()
    patient.fault("chat.postMessage", "slow_after", seconds=4)

    async with patient.client(timeout=timedelta(seconds=2)) as hasty:
        await Posting(patient.thread(turn, token, slack=hasty)).ensure(0, PLACEHOLDER)

    assert len(patient.shown(turn)) == 1


async def test_a_limit_on_reading_the_thread_does_not_lead_to_a_second_post(patient: Stage) -> None:
    patient.ignore_client_msg_ids()
    turn, token = await patient.take(await patient.ask())
    patient.fault("chat.postMessage", "drop_after")
    patient.fault("conversations.replies", "429", retry_after=1)

    await patient.delivery.deliver(turn, token, ANSWER)

    assert await patient.texts(turn.id) == [ANSWER.text]
    assert len(patient.calls("conversations.replies")) >= 2


async def test_an_update_that_is_limited_for_long_goes_back_to_the_queue_with_its_time(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, token)
    stage.fault("chat.update", "429", retry_after=30)

    with pytest.raises(RateLimited) as limited:
        await stage.delivery.deliver(turn, token, ANSWER)

    assert limited.value.after is not None
    assert timedelta(seconds=20) < limited.value.after <= timedelta(seconds=30)
    assert len(stage.calls("chat.update")) == 1


async def test_the_next_attempt_says_what_the_limited_one_could_not(stage: Stage) -> None:
    turn = await stage.ask()
    taken, token = await stage.take(turn)
    await stage.delivery.placeholder(taken, token)
    stage.fault("chat.update", "429", retry_after=1)
    stage.timing = replace(HASTY, patience=timedelta(0))
    with pytest.raises(RateLimited):
        await stage.work(turn)

    stage.timing = replace(HASTY, patience=timedelta(seconds=60))
    asked_again = ScriptedAgent(Answer("Something else."))
    await stage.work(turn, asked_again, attempt=2)

    assert await stage.texts(turn) == [ANSWER.text]
    assert asked_again.questions == []
