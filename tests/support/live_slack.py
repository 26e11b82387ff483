"""A real workspace for the contract, made by hand once; how is told in docs/explanation/testing.md."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from support.slack_workspace import Workspace

SECRETS = ("SLACK_TEST_BOT_TOKEN", "SLACK_TEST_APP_TOKEN", "SLACK_TEST_USER_TOKEN")
_CHANNELS = ("contract", "contract-private", "contract-foreign", "contract-hidden", "contract-archived")


@asynccontextmanager
async def live_workspace() -> AsyncGenerator[Workspace]:
    """The workspace of the tokens; skips where there are none."""
    missing = [name for name in SECRETS if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no real workspace: {', '.join(missing)} not set")
    bot_token, app_token, user_token = (os.environ[name] for name in SECRETS)
    async with aiohttp.ClientSession() as session:
        # a real Slack takes a message a second in a channel
        patient: list[AsyncRetryHandler] = [AsyncRateLimitErrorRetryHandler(max_retry_count=5)]
        bot = AsyncWebClient(token=bot_token, session=session, retry_handlers=patient)
        person = AsyncWebClient(token=user_token, session=session, retry_handlers=patient)
        ids = await _channels(person)

        async def say(channel: str, text: str, thread_ts: str | None) -> str:
            return str((await person.chat_postMessage(channel=channel, text=text, thread_ts=thread_ts))["ts"])

        yield Workspace(
            bot=bot,
            app_token=app_token,
            bot_user=str((await bot.auth_test())["user_id"]),
            channel=ids["contract"],
            private=ids["contract-private"],
            foreign=ids["contract-foreign"],
            hidden=ids["contract-hidden"],
            archived=ids["contract-archived"],
            person=str((await person.auth_test())["user_id"]),
            say=say,
        )


async def _channels(person: AsyncWebClient) -> dict[str, str]:
    found: dict[str, str] = {}
    async for page in await person.conversations_list(types="public_channel,private_channel", limit=1000):
        found |= {channel["name"]: channel["id"] for channel in page["channels"] or ()}
    missing = [name for name in _CHANNELS if name not in found]
    assert not missing, f"the person of SLACK_TEST_USER_TOKEN sees no channel {', '.join(missing)}"
    return found
