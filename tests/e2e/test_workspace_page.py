"""The page of the local workspace, driven as a person would."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from slacksim import scenario
from slacksim.server import SlackSim
from support.events import until

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script> [x](javascript:alert(1))"
)

COMPANY: dict[str, Any] = {
    "team": {"name": "Lantern", "domain": "lantern"},
    "app": {"name": "athenaeum"},
    "users": [
        {"name": "maya", "real_name": "Maya Chen", "title": "Platform engineer"},
        {"name": "tom", "real_name": "Tom Okafor", "title": "Product manager"},
        {"name": "vera", "real_name": "Vera Holt", "title": "Contractor", "is_guest": True},
    ],
    "channels": [
        {
            "name": "general",
            "messages": [
                {"user": "tom", "text": "The release train leaves on Tuesday.", "ago": 9000, "ts": "1763600000.000100"},
                {
                    "user": "maya",
                    "text": "Where is the runbook?",
                    "ago": 7200,
                    "replies": [{"user": "tom", "text": "It is pinned in <#platform>.", "ago": 7100}],
                },
            ],
        },
        {
            "name": "platform",
            "members": ["maya", "vera", "athenaeum"],
            "messages": [{"user": "maya", "text": "Billing is deployed at 14:00 UTC.", "ago": 3600}],
        },
        {"name": "secrets", "kind": "private", "members": ["tom", "athenaeum"]},
    ],
}


@pytest.fixture
async def sim() -> AsyncGenerator[SlackSim]:
    async with SlackSim(scenario.build(COMPANY)) as sim:
        yield sim


@pytest.fixture
async def bot(sim: SlackSim) -> AsyncWebClient:
    return AsyncWebClient(token=sim.world.app.bot_token, base_url=sim.api_url)


def channel_id(sim: SlackSim, name: str) -> str:
    channel = sim.world.find_channel(f"#{name}")
    assert channel is not None
    return channel.id


async def enter(page: Page, sim: SlackSim, user: str = "maya", path: str = "/") -> None:
    await page.goto(f"{sim.url}{path}{'&' if '?' in path else '?'}user={user}")
    await page.locator("[data-ready]").wait_for()


def messages(page: Page, text: str, pane: str = "channel-pane") -> Locator:
    return page.get_by_test_id(pane).get_by_test_id("message").filter(has_text=text)


async def say(page: Page, text: str) -> Locator:
    """Sends a message and waits until it is shown; the message, found by its ts."""
    shown = page.get_by_test_id("channel-pane").get_by_test_id("message")
    before = await shown.count()
    await page.get_by_test_id("composer").fill(text)
    await page.keyboard.press("Enter")
    await expect(shown).to_have_count(before + 1)
    ts = await shown.last.get_attribute("data-ts")
    return page.get_by_test_id("channel-pane").locator(f"[data-testid='message'][data-ts='{ts}']")


async def test_a_sent_message_appears_and_mentions_are_real(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    sent = await say(page, "@Athenaeum when is the *freeze*? See #platform & <b>")
    await expect(sent.get_by_test_id("message-text")).to_have_text("@Athenaeum when is the freeze? See #platform & <b>")
    await expect(page.get_by_test_id("composer")).to_have_value("")
    general = sim.world.channels[channel_id(sim, "general")]
    stored = general.messages[general.timeline[-1]].text
    platform = channel_id(sim, "platform")
    expected = f"<@{sim.world.app.user_id}> when is the *freeze*? See <#{platform}|platform> &amp; &lt;b&gt;"
    assert stored == expected


async def test_completion_inserts_the_name_of_the_chosen_person(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    await page.get_by_test_id("composer").press_sequentially("ask @to")
    await expect(page.get_by_test_id("channel-pane").get_by_test_id("completion")).to_contain_text("Tom Okafor")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("composer")).to_have_value("ask @Tom Okafor ")


async def test_an_update_keeps_the_node(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    await enter(page, sim)
    posted = await bot.chat_postMessage(channel=channel_id(sim, "general"), text="Thinking…")
    placeholder = messages(page, "Thinking…")
    await placeholder.evaluate("node => { node.dataset.sameNode = 'yes'; }")
    blocks = [{"type": "markdown", "text": "The freeze starts on **Friday** [1]."}]
    await bot.chat_update(channel=str(posted["channel"]), ts=str(posted["ts"]), text="Friday", blocks=blocks)
    answer = page.get_by_test_id("channel-pane").locator(f"[data-ts='{posted['ts']}']")
    await expect(answer.locator("strong")).to_have_text("Friday")
    await expect(answer).to_have_attribute("data-same-node", "yes")
    await expect(placeholder).to_have_count(0)


async def test_the_thread_of_an_answer_opens_by_itself(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    await enter(page, sim)
    asked = await say(page, "@Athenaeum hello")
    ts = await asked.get_attribute("data-ts")
    await bot.chat_postMessage(channel=channel_id(sim, "general"), thread_ts=ts, text="Good morning.")
    await expect(messages(page, "Good morning.", "thread-pane")).to_be_visible()
    await expect(messages(page, "Good morning.")).to_have_count(0)


async def test_a_reply_goes_into_the_thread(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    root = messages(page, "Where is the runbook?")
    await expect(root.get_by_test_id("thread-link")).to_contain_text("1 reply")
    await root.get_by_test_id("thread-link").click()
    await page.get_by_test_id("thread-composer").fill("Thank you.")
    await page.keyboard.press("Enter")
    await expect(messages(page, "Thank you.", "thread-pane")).to_be_visible()
    await expect(root.get_by_test_id("thread-link")).to_contain_text("2 replies")
    await expect(messages(page, "Thank you.")).to_have_count(0)


async def test_another_person_does_not_see_the_private_channel(page: Page, sim: SlackSim) -> None:
    await enter(page, sim, "tom")
    await page.get_by_test_id("channel-secrets").click()
    await say(page, "The price is 12.")
    await page.get_by_test_id("user-switch").click()
    await page.get_by_test_id("user-option-maya").click()
    await expect(page.get_by_test_id("acting-as")).to_have_text("Maya Chen")
    await expect(page.get_by_test_id("channel-secrets")).to_have_count(0)
    await expect(page.get_by_test_id("channel-title")).to_have_text("general")
    await expect(page.get_by_text("The price is 12.")).to_have_count(0)
    await page.reload()
    await expect(page.get_by_test_id("acting-as")).to_have_text("Maya Chen")


async def test_a_guest_sees_only_their_channels(page: Page, sim: SlackSim) -> None:
    await enter(page, sim, "vera")
    await expect(page.get_by_test_id("channel-platform")).to_be_visible()
    await expect(page.get_by_test_id("channel-general")).to_have_count(0)


async def test_markup_in_a_message_stays_text(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    await enter(page, sim)
    general = channel_id(sim, "general")
    blocks = [
        {"type": "markdown", "text": HOSTILE},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"{HOSTILE} <javascript:alert(1)|press>"}},
        {"type": "header", "text": {"type": "plain_text", "text": "<img src=x onerror=alert(1)>"}},
    ]
    posted = await bot.chat_postMessage(channel=general, text=HOSTILE, blocks=blocks)
    shown = page.get_by_test_id("channel-pane").locator(f"[data-ts='{posted['ts']}'] .prose")
    await expect(shown).to_contain_text("<script>document.title='owned'</script>")
    assert await shown.locator("img, script, a").count() == 0
    sent = await say(page, HOSTILE)
    await expect(sent).to_contain_text("<img src=x onerror=")
    await expect(page).to_have_title("#general · Lantern")


async def test_a_web_link_opens_a_new_tab_and_keeps_its_address(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    await enter(page, sim)
    blocks = [{"type": "markdown", "text": "See [the handbook](https://docs.example.com/a?b=1&c=2)."}]
    await bot.chat_postMessage(channel=channel_id(sim, "general"), text="See", blocks=blocks)
    link = page.get_by_role("link", name="the handbook")
    await expect(link).to_have_attribute("href", "https://docs.example.com/a?b=1&c=2")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))


async def test_a_permalink_opens_its_message_in_place(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    platform = sim.world.channels[channel_id(sim, "platform")]
    found = await bot.chat_getPermalink(channel=platform.id, message_ts=platform.timeline[0])
    await enter(page, sim)
    source = f"*Sources* [1] <{found['permalink']}|Maya Chen in #platform>"
    blocks = [{"type": "context", "elements": [{"type": "mrkdwn", "text": source}]}]
    await bot.chat_postMessage(channel=channel_id(sim, "general"), text="Sources", blocks=blocks)
    await page.get_by_role("link", name="Maya Chen in #platform").click()
    await expect(page.get_by_test_id("channel-title")).to_have_text("platform")
    await expect(messages(page, "Billing is deployed")).to_have_class(re.compile("message-highlight"))
    assert len(page.context.pages) == 1


async def test_the_address_of_a_reply_opens_its_thread(page: Page, sim: SlackSim) -> None:
    general = sim.world.channels[channel_id(sim, "general")]
    root_ts, (reply_ts,) = next(iter(general.threads.items()))
    await enter(page, sim, "maya", f"/archives/{general.id}/p{reply_ts.replace('.', '')}?thread_ts={root_ts}")
    await expect(messages(page, "It is pinned in", "thread-pane")).to_have_class(re.compile("message-highlight"))


async def test_an_ephemeral_is_shown_to_one_person_only(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    await enter(page, sim)
    maya = sim.world.find_user("maya")
    assert maya is not None
    general = channel_id(sim, "general")
    await bot.chat_postEphemeral(channel=general, user=maya.id, text="You are too fast.")
    await expect(page.get_by_test_id("ephemeral")).to_contain_text("Only visible to you")
    await page.get_by_test_id("user-switch").click()
    await page.get_by_test_id("user-option-tom").click()
    await expect(page.get_by_test_id("acting-as")).to_have_text("Tom Okafor")
    await expect(messages(page, "The release train")).to_be_visible()
    await expect(page.get_by_test_id("ephemeral")).to_have_count(0)


async def test_own_messages_can_be_edited_and_deleted(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    sent = await say(page, "The freze is on Friday.")
    await sent.hover()
    await sent.get_by_test_id("edit-message").click()
    await page.get_by_test_id("edit-field").fill("The freeze is on Friday.")
    await page.keyboard.press("Enter")
    edited = messages(page, "The freeze is on Friday.")
    await expect(edited.get_by_test_id("edited")).to_be_visible()
    await edited.hover()
    await edited.get_by_test_id("delete-message").click()
    await edited.get_by_test_id("confirm-delete").click()
    await expect(edited).to_have_count(0)


async def test_a_reaction_is_added_and_taken_back(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    message = messages(page, "The release train")
    await message.hover()
    await message.get_by_test_id("add-reaction").click()
    await message.get_by_test_id("react-eyes").click()
    chip = message.get_by_test_id("reaction-eyes")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await chip.click()
    await expect(chip).to_have_count(0)


async def test_a_channel_elsewhere_shows_that_it_has_news(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    await enter(page, sim)
    await bot.chat_postMessage(channel=channel_id(sim, "platform"), text="Deployed.")
    row = page.get_by_test_id("channel-platform")
    await expect(row.get_by_test_id("unread")).to_be_visible()
    await row.click()
    await expect(messages(page, "Deployed.")).to_be_visible()
    await expect(row.get_by_test_id("unread")).to_have_count(0)


async def test_a_direct_message_opens_on_demand(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    await page.get_by_test_id("dm-athenaeum").click()
    await expect(page.get_by_test_id("channel-title")).to_have_text("Athenaeum")
    sent = await say(page, "Hello")
    await expect(sent).to_contain_text("Hello")


async def test_a_narrow_page_keeps_the_rail_aside(page: Page, sim: SlackSim) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await enter(page, sim)
    await expect(page.get_by_test_id("rail")).not_to_be_visible()
    await page.get_by_test_id("open-rail").click()
    await page.get_by_test_id("channel-platform").click()
    await expect(page.get_by_test_id("channel-title")).to_have_text("platform")
    await expect(page.get_by_test_id("rail")).not_to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_after_a_break_of_the_stream_nothing_is_missing(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    await enter(page, sim)
    await page.route("**/_sim/stream*", lambda route: route.abort())
    sim.simulation.stream.close()
    await expect(page.get_by_test_id("stream-state")).to_have_text("Reconnecting…")
    await bot.chat_postMessage(channel=channel_id(sim, "general"), text="Said in between.")
    await page.unroute("**/_sim/stream*")
    await expect(messages(page, "Said in between.")).to_be_visible()
    await expect(page.get_by_test_id("stream-state")).to_have_text("Live")


async def test_the_inspector_shows_the_calls_of_the_app_and_plans_a_fault(
    page: Page, sim: SlackSim, bot: AsyncWebClient
) -> None:
    await enter(page, sim)
    await bot.chat_postMessage(channel=channel_id(sim, "general"), text="Hello.")
    await page.get_by_test_id("inspector-toggle").click()
    await expect(page.get_by_test_id("calls")).to_contain_text("chat.postMessage")
    await page.get_by_test_id("fault-429").click()
    await expect(page.get_by_test_id("toast")).to_be_visible()
    assert [(fault.method, fault.mode) for fault in sim.simulation.faults.planned] == [("chat.postMessage", "429")]


async def test_the_next_person_finds_what_was_written_to_them_unread(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    await page.get_by_test_id("dm-tom").click()
    await expect(page.get_by_test_id("channel-title")).to_have_text("Tom Okafor")
    await say(page, "Have you a minute?")
    await page.get_by_test_id("channel-general").click()
    await page.get_by_test_id("user-switch").click()
    await page.get_by_test_id("user-option-tom").click()
    await expect(page.get_by_test_id("dm-maya").get_by_test_id("unread")).to_have_text("1")
    await page.get_by_test_id("dm-maya").click()
    await expect(messages(page, "Have you a minute?")).to_be_visible()
    await expect(page.get_by_test_id("dm-maya").get_by_test_id("unread")).to_have_count(0)


async def test_a_suggested_question_fills_the_composer(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    await page.get_by_test_id("suggestion-1").click()
    await expect(page.get_by_test_id("composer")).to_have_value(re.compile("^@Athenaeum "))
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("welcome")).not_to_be_visible()


async def test_who_opens_the_talk_with_the_app_is_offered_its_questions(
    page: Page, sim: SlackSim, bot: AsyncWebClient
) -> None:
    await enter(page, sim)
    await page.get_by_test_id("dm-athenaeum").click()
    offered = page.get_by_test_id("suggestion-1")
    await expect(offered).to_have_text("What can you do?")
    sent = sim.simulation.outbox.deliveries
    await until(lambda: any(one.type == "events_api" for one in sent))
    [opened] = [one.payload["event"] for one in sent if one.type == "events_api"]
    assert (opened["type"], opened["tab"]) == ("app_home_opened", "messages")
    prompts = [{"title": "Dates", "message": "When do we ship?"}]
    await bot.assistant_threads_setSuggestedPrompts(channel_id=opened["channel"], prompts=prompts)
    await expect(offered).to_have_text("When do we ship?")
    await offered.click()
    await expect(page.get_by_test_id("composer")).to_have_value("When do we ship?")


async def test_a_click_on_feedback_reaches_the_app(page: Page, sim: SlackSim, bot: AsyncWebClient) -> None:
    await enter(page, sim)
    thumbs = {
        "type": "feedback_buttons",
        "action_id": "feedback",
        "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
        "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
    }
    blocks = [{"type": "markdown", "text": "Friday."}, {"type": "context_actions", "elements": [thumbs]}]
    await bot.chat_postMessage(channel=channel_id(sim, "general"), text="Friday.", blocks=blocks)
    await page.get_by_test_id("feedback-negative").click()
    await expect(page.get_by_test_id("feedback-negative")).to_have_attribute("aria-pressed", "true")
    sent = [d.payload for d in sim.simulation.outbox.deliveries if d.type == "interactive"]
    assert [payload["actions"][0]["value"] for payload in sent] == ["down"]


async def test_files_are_picked_sent_with_a_message_and_saved_from_it(page: Page, sim: SlackSim) -> None:
    await enter(page, sim)
    await page.get_by_test_id("composer-files").set_input_files(
        [
            {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"the plan"},
            {"name": "draft.txt", "mimeType": "text/plain", "buffer": b"a draft"},
        ]
    )
    await page.get_by_role("button", name="Take out draft.txt").click()
    await page.get_by_test_id("composer-send").click()
    shared = page.get_by_test_id("channel-pane").get_by_test_id("file")
    await expect(shared).to_have_text("plan.txt")
    saved = await page.request.get(await shared.get_by_role("link").get_attribute("href") or "")
    assert await saved.body() == b"the plan"
