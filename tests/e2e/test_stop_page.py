"""A person stops an answer in the browser, and reads in the same message that it was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from support.anthropic_server import KEY, AnthropicServer, Stalls
from support.product import at_work, workspace

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000


async def test_what_is_stopped_on_the_page_says_so(page: Page, database_url: str, tmp_path: Path) -> None:
    async with workspace() as sim, AnthropicServer() as anthropic:
        anthropic.reply = lambda _: Stalls()
        model: dict[str, Any] = {
            "model": "anthropic:claude-test",
            "anthropic_api_key": KEY,
            "anthropic_base_url": anthropic.url,
        }
        async with at_work(sim, database_url, tmp_path / "home", **model) as product:
            asked = product.ask("maya", "platform", "Write an essay.")
            await anthropic.arrived.wait()
            channel = sim.world.channels[asked.channel]
            await page.goto(f"{sim.url}/archives/{channel.id}/p{asked.ts.replace('.', '')}?user=maya")
            thread = page.get_by_test_id("thread-pane")

            await thread.get_by_test_id("action-athenaeum_stop").click(timeout=PATIENCE_MS)

            await expect(thread.get_by_text("Stopped.", exact=True)).to_be_visible(timeout=PATIENCE_MS)
            await expect(thread.get_by_test_id("action-athenaeum_stop")).to_have_count(0)
            await product.rest()
