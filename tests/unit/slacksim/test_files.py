from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slacksim.people import Person
from slacksim.server import SlackSim


@pytest.fixture
def maya(sim: SlackSim) -> Person:
    return Person.named(sim.world, "maya")


async def test_an_upload_of_a_person_is_shared_in_a_message_and_opened_with_the_bots_token(
    sim: SlackSim, control: Any, web: AsyncWebClient, session: aiohttp.ClientSession
) -> None:
    async with session.post(f"{sim.url}/_sim/files?user=maya&name=plan.txt", data=b"the plan") as brought:
        file_id = (await brought.json())["file"]
    said = await control.post("messages", user="maya", channel="general", text="", files=[file_id])
    (message,) = (await control.get("messages?channel=general"))["messages"]
    (file,) = message["files"]
    assert (message["subtype"], file["name"], file["size"]) == ("file_share", "plan.txt", 8)
    headers = {"Authorization": f"Bearer {web.token}"}
    async with session.get(file["url_private"], headers=headers, allow_redirects=False) as opened:
        assert (opened.status, await opened.read()) == (200, b"the plan")
    known: Any = await web.files_info(file=file_id)
    (share,) = known["file"]["shares"]["public"][said["channel"]]
    assert share["ts"] == said["ts"]


@pytest.mark.parametrize("token", ["", "Bearer another"])
async def test_without_the_bots_token_a_file_leads_to_the_page_for_signing_in(
    sim: SlackSim, maya: Person, session: aiohttp.ClientSession, token: str
) -> None:
    message = maya.say("general", "look", files=[maya.upload("plan.txt", b"the plan")])
    kept = message.files[0]
    url = f"{sim.url}/files-pri/{kept.team}-{kept.id}/plan.txt"
    async with session.get(url, headers={"Authorization": token}, allow_redirects=False) as refused:
        assert refused.status == 302


async def test_a_file_of_a_channel_without_the_bot_is_not_found(maya: Person, web: AsyncWebClient) -> None:
    kept = maya.upload("plan.txt", b"the plan")
    maya.say("elsewhere", "look", files=[kept])
    with pytest.raises(SlackApiError, match="file_not_found"):
        await web.files_info(file=kept.id)


async def test_an_app_uploads_and_shares_in_a_thread(
    sim: SlackSim, maya: Person, web: AsyncWebClient, session: aiohttp.ClientSession
) -> None:
    asked = maya.say("general", "the report?")
    begun: Any = await web.files_getUploadURLExternal(filename="report.md", length=6)
    with pytest.raises(SlackApiError, match="file_not_found"):
        await web.files_completeUploadExternal(files=[{"id": begun["file_id"]}], channel_id=asked.channel)
    async with session.post(begun["upload_url"], data=b"report") as taken:
        assert taken.status == 200
    await web.files_completeUploadExternal(
        files=[{"id": begun["file_id"], "title": "The report"}], channel_id=asked.channel, thread_ts=asked.ts
    )
    (ts,) = sim.world.channels[asked.channel].threads[asked.ts]
    (shared,) = sim.world.channels[asked.channel].messages[ts].files
    assert (shared.title, shared.content) == ("The report", b"report")


async def test_a_deleted_file_takes_the_message_with_it_that_said_nothing_else(
    sim: SlackSim, web: AsyncWebClient, session: aiohttp.ClientSession, maya: Person
) -> None:
    channel = maya.channel("general").id
    begun: Any = await web.files_getUploadURLExternal(filename="report.md", length=6)
    async with session.post(begun["upload_url"], data=b"report"):
        pass
    await web.files_completeUploadExternal(files=[{"id": begun["file_id"]}], channel_id=channel)
    await web.files_delete(file=begun["file_id"])
    assert not sim.world.channels[channel].messages
    with pytest.raises(SlackApiError, match="file_deleted"):
        await web.files_info(file=begun["file_id"])
