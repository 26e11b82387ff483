"""A person says on the page why an answer was of no help, and the operator reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from athenaeum.conversations import feedback
from athenaeum.slack.formatting import REASON
from support.product import at_work, workspace

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000


async def test_a_reason_is_typed_into_a_modal_and_kept(page: Page, database_url: str, tmp_path: Path) -> None:
    async with workspace() as sim, at_work(sim, database_url, tmp_path / "home") as product:
        asked = product.ask("maya", "platform")
        answer = await product.answer(asked)
        await page.goto(f"{sim.url}/archives/{asked.channel}/p{answer.ts.replace('.', '')}?user=tom")
        modal = page.get_by_test_id("modal")

        await page.get_by_test_id("thread-pane").get_by_test_id("feedback-negative").click(timeout=PATIENCE_MS)
        await expect(modal).to_be_visible(timeout=PATIENCE_MS)
        await modal.get_by_test_id("modal-submit").click()
        await expect(modal).to_be_visible()  # it is not sent empty
        await page.reload()
        await modal.get_by_test_id(f"input-{REASON}").fill("It names the old runbook.")
        await modal.get_by_test_id("modal-submit").click()
        await expect(modal).not_to_be_visible(timeout=PATIENCE_MS)

        async with product.running.database.session(product.tenant.id) as session:
            [told] = await feedback.latest(session)
        assert (told.user, told.reason) == (product.person("tom").user.id, "It names the old runbook.")
