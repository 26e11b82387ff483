"""A person approves in the browser what a tool wants to change, and reads in the same message what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from support.anthropic_server import KEY, AnthropicServer
from support.note_worker import DONE
from support.notes import NOTE, Board, search_post_answer
from support.product import at_work, workspace

pytestmark = pytest.mark.browser


async def test_what_is_approved_on_the_page_is_done(
    page: Page, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board()
    monkeypatch.setattr("athenaeum.agent.runner.build_toolset", board.toolset)
    async with workspace() as sim, AnthropicServer() as anthropic:
        anthropic.reply = search_post_answer
        async with at_work(
            sim,
            database_url,
            tmp_path / "home",
            model="anthropic:claude-test",
            anthropic_api_key=KEY,
            anthropic_base_url=anthropic.url,
        ) as product:
            asked = product.ask("maya", "platform", "Post a note, please.")
            await product.rest()
            channel = sim.world.channels[asked.channel]
            await page.goto(f"{sim.url}/archives/{channel.id}/p{asked.ts.replace('.', '')}?user=maya")
            thread = page.get_by_test_id("thread-pane")
            await expect(thread.get_by_text(f'text: "{NOTE["text"]}"')).to_be_visible()
            await expect(thread.get_by_test_id("action-athenaeum_deny")).to_have_text("Deny")

            await thread.get_by_test_id("action-athenaeum_approve").click()

            await expect(thread.get_by_text(f"I heard: {DONE}")).to_be_visible()
            await expect(thread.get_by_test_id("action-athenaeum_approve")).to_have_count(0)
            assert board.notes == [tuple(NOTE.values())]
