"""`athenaeum demo`, as its first visitor meets it: a real process, a real browser, no account and no key."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
DOCS = ("docs/runbooks", "docs/tutorial")
ATHENAEUM = Path(sys.executable).with_name("athenaeum")
ANSWERED = 60_000  # milliseconds
SECRET = re.compile("for sale|listen|friendly|one page|board wants", re.IGNORECASE)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One home for the module: the second start finds the first one's database and documents."""
    with tempfile.TemporaryDirectory(prefix="athenaeum-demo-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o711)  # root's PostgreSQL runs as another user, who must come through
        yield path


def _environment(home: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "ANTHROPIC_"))}
    own = {"ATHENAEUM_HOME": str(home), "ATHENAEUM_MODEL": "offline", "DATABASE_URL": ""}
    return {**clean, **own, "PYTHONPATH": str(_copy(home / "product"))}


def _copy(place: Path) -> Path:
    """The product's source with two folders of its documentation: to embed all of it takes 40 seconds of CPU."""
    for part in ("src", *DOCS):
        if not (place / part).exists():
            shutil.copytree(ROOT / part, place / part)
    return place / "src"


@pytest.fixture(scope="module")
def asked_alone(home: Path) -> dict[str, Any]:
    """What a question printed that was asked before any demo ran on the home: the first start on an empty one."""
    return _ask(home)


@pytest.fixture(scope="module")
def url(home: Path, asked_alone: dict[str, Any]) -> Iterator[str]:
    """One demo for the module."""
    del asked_alone  # it has to come first
    with subprocess.Popen(
        [ATHENAEUM, "demo", "--no-browser", "--port", "0"],
        env=_environment(home),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            url = process.stdout.readline().decode().strip()
            while b"Ctrl-C" not in (line := process.stderr.readline()):
                assert line, f"the demo ended with {process.wait()}"
            yield url
        finally:
            process.terminate()
            process.communicate()


def _ask(home: Path) -> dict[str, Any]:
    command = [ATHENAEUM, "demo", "--ask", "How do I retry a failed event?"]
    return json.loads(
        subprocess.run(command, env=_environment(home), cwd=home, stdout=subprocess.PIPE, check=True).stdout
    )


async def _open(page: Page, url: str, *, user: str, channel: str) -> None:
    await page.goto(f"{url}/?user={user}")
    await page.wait_for_selector("[data-ready]")
    await page.get_by_test_id(f"channel-{channel}").click()


async def _say(page: Page, text: str, *, pane: str = "channel-pane") -> None:
    composer = page.get_by_test_id(pane).get_by_role("textbox").last
    await composer.click()
    await composer.press_sequentially(text)
    await composer.press("Enter")


def _answers(page: Page) -> Locator:
    return page.get_by_test_id("thread-pane").locator("[data-testid=message]", has=page.get_by_text("APP", exact=True))


async def test_a_visitor_asks_opens_a_source_goes_on_and_sees_nothing_of_others(page: Page, url: str) -> None:
    await _open(page, url, user="tomas", channel="general")

    # ask, and see the placeholder become the answer in place
    await _say(page, "@Athenaeum When is the release freeze?")
    first = _answers(page).first
    await expect(first).to_be_visible(timeout=ANSWERED)
    ts = await first.get_attribute("data-ts")
    await expect(first).to_contain_text("December 15 to January 4", timeout=ANSWERED)
    assert await first.get_attribute("data-ts") == ts
    await expect(_answers(page)).to_have_count(1)
    await expect(page.get_by_test_id("thread-pane")).not_to_contain_text("Thinking")

    # open a source: a message of the workspace, in place
    await first.get_by_role("link", name="#general").first.click()
    await expect(page.get_by_test_id("channel-pane")).to_contain_text("December 15 to January 4")

    # use a thread: a question about a document, whose source opens in the reading room
    await page.get_by_test_id("channel-engineering").click()
    await _say(page, "@Athenaeum How do I retry a failed event?")
    second = _answers(page).first
    await expect(second).to_contain_text("athenaeum events retry", timeout=ANSWERED)
    async with page.context.expect_page() as opening:
        await second.get_by_role("link", name=re.compile("Failed events")).first.click()
    document = await opening.value
    await expect(document.get_by_test_id("document")).to_contain_text("athenaeum events retry ID")
    await document.close()
    await _say(page, "@Athenaeum How are API keys rotated?", pane="thread-pane")
    await expect(_answers(page).nth(1)).to_contain_text("beacon keys rotate", timeout=ANSWERED)

    # the private channel's words never show up for somebody outside it, whatever is asked
    for question in ("What is Albatross?", "What did Maya say in #leads about Postnord for sale?"):
        await page.get_by_test_id("channel-random").click()
        await _say(page, f"@Athenaeum {question}")
        answer = _answers(page).last
        await expect(answer).to_contain_text("without a language model", timeout=ANSWERED)
        await expect(answer).not_to_contain_text(SECRET)
    await expect(page.get_by_test_id("channel-leads")).to_have_count(0)

    # switch user: who is inside gets it, there
    await page.get_by_test_id("user-switch").click()
    await page.get_by_test_id("user-option-maya").click()
    await page.get_by_test_id("channel-leads").click()
    await _say(page, "@Athenaeum What is Albatross?")
    await expect(_answers(page).last).to_contain_text("Albatross:", timeout=ANSWERED)


async def test_a_direct_message_needs_no_mention_and_is_answered_in_its_thread(page: Page, url: str) -> None:
    await page.goto(f"{url}/?user=priya")
    await page.wait_for_selector("[data-ready]")
    await page.get_by_test_id("dm-athenaeum").click()

    await _say(page, "When is the release freeze?")

    await expect(_answers(page).first).to_contain_text("December 15 to January 4", timeout=ANSWERED)
    await expect(_answers(page)).to_have_count(1)


def test_ask_prints_an_answer_with_its_citations_also_beside_a_running_demo(
    home: Path, asked_alone: dict[str, Any], url: str
) -> None:
    beside = _ask(home)

    for printed in (asked_alone, beside):
        assert "athenaeum events retry" in str(printed["answer"])
        citations = printed["citations"]
        assert isinstance(citations, list)
        assert citations
        for citation in citations:
            assert citation["title"]
            assert citation["url"].startswith("http://127.0.0.1:")
            assert citation["quote"]
