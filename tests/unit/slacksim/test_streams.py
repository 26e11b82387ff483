from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slacksim.people import Person
from slacksim.server import SlackSim

TASK = {"type": "task_update", "id": "one", "title": "Looking", "status": "in_progress"}


@pytest.fixture
def thread(sim: SlackSim) -> dict[str, Any]:
    """Where to stream to, and for whom."""
    asked = Person.named(sim.world, "maya").say("general", "How?")
    recipient = {"recipient_team_id": sim.world.team.id, "recipient_user_id": asked.user}
    return {"channel": asked.channel, "thread_ts": asked.ts, **recipient}


async def test_a_stream_grows_and_ends_as_a_message_like_any_other(
    sim: SlackSim, web: AsyncWebClient, thread: dict[str, Any]
) -> None:
    place = await _begun(web, thread, chunks=[TASK])
    await web.chat_appendStream(**place, chunks=[{**TASK, "status": "complete"}, _said("As ")])
    await web.chat_appendStream(**place, markdown_text="**follows**.")
    metadata = {"event_type": "answer", "event_payload": {"number": 1}}
    stopped = await web.chat_stopStream(**place, metadata=metadata)
    message: dict[str, Any] = stopped.get("message", {})
    assert [(block["type"], block.get("text") or block["status"]) for block in message["blocks"]] == [
        ("task_card", "complete"),
        ("markdown", "As **follows**."),
    ]
    assert (message["text"], message["metadata"]) == ("As **follows**.", metadata)
    await web.chat_update(**place, text="As follows.")
    assert sim.world.channels[thread["channel"]].messages[place["ts"]].text == "As follows."


async def test_what_grows_is_changed_in_no_other_way(web: AsyncWebClient, thread: dict[str, Any]) -> None:
    place = await _begun(web, thread)
    assert await _refused(web.chat_update(**place, text="Else.")) == "streaming_state_conflict"
    assert await _refused(web.chat_delete(**place)) == "streaming_state_conflict"


async def test_slack_ends_a_stream_after_its_time_whatever_is_appended(
    sim: SlackSim, web: AsyncWebClient, control: Any, thread: dict[str, Any]
) -> None:
    place = await _begun(web, thread)
    await web.chat_appendStream(**place, markdown_text="Still")
    await control.post("timing", stream_seconds=0)
    assert await _refused(web.chat_appendStream(**place, markdown_text=" here")) == "message_not_in_streaming_state"
    assert await _refused(web.chat_stopStream(**place)) == "message_not_in_streaming_state"
    await web.chat_update(**place, text="Done.")


async def test_slacks_stop_button_ends_the_threads_streams_and_tells_the_app(
    web: AsyncWebClient, control: Any, thread: dict[str, Any]
) -> None:
    place = await _begun(web, thread)
    pressed = await control.post("stop", user="maya", channel=thread["channel"], thread_ts=thread["thread_ts"])
    assert pressed["stopped"] == [place["ts"]]
    assert await _refused(web.chat_appendStream(**place, markdown_text="More")) == "stopped_by_user"
    sent = (await control.get("deliveries"))["deliveries"]
    event = next(one["payload"]["event"] for one in sent if one["payload"]["event"]["type"] == "agent_session_stopped")
    assert event["streaming_message_ts"] == [place["ts"]]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"recipient_team_id": None}, "missing_recipient_team_id"),
        ({"recipient_user_id": None}, "missing_recipient_user_id"),
        ({"thread_ts": "1.2"}, "thread_not_found"),
        ({"task_display_mode": "grid"}, "invalid_arguments"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"chunks": [{"type": "task_update", "id": "x", "title": "y" * 257, "status": "complete"}]}, "invalid_chunks"),
    ],
)
async def test_a_stream_that_slack_would_not_begin_is_refused(
    web: AsyncWebClient, thread: dict[str, Any], changed: dict[str, Any], error: str
) -> None:
    assert await _refused(web.chat_startStream(**{**thread, **changed})) == error


async def test_a_plan_shows_its_tasks_together(web: AsyncWebClient, thread: dict[str, Any]) -> None:
    chunks = [TASK, {"type": "plan_update", "title": "Finding out"}]
    place = await _begun(web, thread, task_display_mode="plan", chunks=chunks)
    message: dict[str, Any] = (await web.chat_stopStream(**place)).get("message", {})
    (plan,) = message["blocks"]
    assert (plan["title"], [task["task_id"] for task in plan["tasks"]]) == ("Finding out", ["one"])


async def _begun(web: AsyncWebClient, thread: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Where the new stream is."""
    return {"channel": thread["channel"], "ts": str((await web.chat_startStream(**thread, **given))["ts"])}


def _said(text: str) -> dict[str, Any]:
    return {"type": "markdown_text", "text": text}


async def _refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])
