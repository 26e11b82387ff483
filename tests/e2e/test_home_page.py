"""A person types a command in the browser, finds themselves in the Home tab, and has their data deleted there."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from support.product import QUESTION, at_work, workspace

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000


async def test_a_person_types_a_command_reads_their_home_and_has_it_emptied(
    page: Page, database_url: str, tmp_path: Path
) -> None:
    async with workspace() as sim, at_work(sim, database_url, tmp_path / "home") as product:
        await page.goto(f"{sim.url}/?user=maya")
        composer = page.get_by_test_id("composer")
        await composer.fill(f"/athenaeum ask {QUESTION}")
        await composer.press("Enter")
        aside = page.get_by_test_id("ephemeral")
        await expect(aside).to_contain_text("I answer you in our direct message.", timeout=PATIENCE_MS)
        await product.rest()

        await page.get_by_test_id("dm-athenaeum").click()
        await page.get_by_test_id("tab-home").click()
        home = page.get_by_test_id("home")
        await expect(home.get_by_text(QUESTION)).to_be_visible(timeout=PATIENCE_MS)
        await expect(page.get_by_test_id("composer")).to_be_hidden()

        page.once("dialog", lambda dialog: dialog.accept())
        await home.get_by_test_id("action-athenaeum_erase").click()
        await expect(home.get_by_text("You have asked me nothing yet.")).to_be_visible(timeout=PATIENCE_MS)
        await product.rest()
        await page.get_by_test_id("tab-messages").click()
        await expect(page.get_by_test_id("message")).to_have_count(0, timeout=PATIENCE_MS)
