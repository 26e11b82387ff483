"""What holds for any text a model might write, obeying whoever planted an instruction in what it read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from slack_sdk.models.blocks import MarkdownBlock

from athenaeum.domain.identity import PassageId
from athenaeum.domain.turn import Answer, Citation
from athenaeum.slack.formatting import render
from athenaeum.slack.formatting.rendering import MAX_BLOCKS_TEXT, MAX_MARKDOWN, MAX_TEXT
from athenaeum.slack.formatting.splitting import MAX_PARTS
from slacksim.blocks import check

CITED = "https://docs.corp.dev/retry"
FRAGMENTS = [
    "[", "]", "(", ")", "!", "<", ">", "|", "`", "```", "~~~", "*", "**", "_", "~~", "\\", "\n", "\n\n", " ", "    ",
    "- ", "1. ", "> ", "# ", "|---|", "\n| a | b |\n|---|---|\n| ", ": ", "](", "]: ", "&", "&lt;", "&#60;", "&#104;",
    "https://evil.com/?d=1", "http://", "HTTPS://evil.com", "www.evil.com", "//evil.com", "javascript:alert(1)",
    "data:text/html,x", "mailto:a@evil.com", CITED, f"{CITED}?d=1", f"{CITED}@evil.com", "<!channel>", "<@U123ABC>",
    "<#C123ABC|x>", "<!subteam^S1>", "@channel", "@here", "@everyone", "channel>",
    "\u200b", "\u202e", "\U000e0041", "\ufeff",
    "word", "[1]", "[r]", "\n[r]: https://evil.com\n",
    "![x](https://evil.com/i.png)", "[x](https://evil.com)", "😀", "\r\n",
    "<https://evil.com|docs>", "<b>", "<!--", "-->", "\x00", "\t", "é", "***", "---", "===", "+ ", "\n```py\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=40).map("".join)
SOURCE = Citation(1, PassageId(1), "Retrying", CITED, "words")
CALLS = re.compile(r"<!|<@|<#|@(?:channel|here|everyone)\b", re.IGNORECASE)
OPENABLE = re.compile(r"(?:https?://|www\.|javascript:(?=\S)|data:text)[^\s<>)\]`]*", re.IGNORECASE)
INVISIBLE = re.compile("[\u200b\u202a-\u202e\ufeff\x00\U000e0000-\U000e007f]")
READERS = [
    MarkdownIt("commonmark"),
    MarkdownIt("commonmark").enable(["table", "strikethrough"]),
    MarkdownIt("js-default"),
]
modest = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def markdown(text: str) -> list[str]:
    return [str((message.otherwise or message).blocks[0]["text"]) for message in render(Answer(text, (SOURCE,)))]


def in_table(text: str) -> str:
    """The text where a cell ends up that begins with it."""
    return f"| head | a |\n| --- | --- |\n| {text} | b |"


def cells(text: str) -> Iterator[Mapping[str, Any]]:
    """What Slack's own tables say, leaf by leaf."""
    for message in render(Answer(text, (SOURCE,))):
        for row in (row for block in message.blocks if block["type"] == "table" for row in block["rows"]):
            for cell in row:
                yield from cell["elements"][0]["elements"] if cell["type"] == "rich_text" else [cell]


def targets(reader: MarkdownIt, text: str) -> list[str]:
    tokens = [child for token in reader.parse(text) for child in (token, *(token.children or ()))]
    return [
        str(token.attrs.get("href") or token.attrs.get("src")) for token in tokens if {"href", "src"} & set(token.attrs)
    ]


@modest
@example("www.evil.comhttps://evil.com/?d=1")
@example("wordwww.evil.com")
@example("```www.evil.com")
@given(TEXTS)
def test_every_link_leads_to_a_source(text: str) -> None:
    for part in markdown(text):
        for reader in READERS:
            assert {target.partition("#")[0] for target in targets(reader, part)} <= {CITED}
        assert {found.partition("#")[0].rstrip(".,;:!?'*_~") for found in OPENABLE.findall(part)} <= {CITED}


@modest
@given(TEXTS)
def test_nobody_is_called(text: str) -> None:
    for message in render(Answer(text, (SOURCE,))):
        assert not CALLS.search(str((message.otherwise or message).blocks[0]["text"]))
        assert not CALLS.search(message.text)
        assert not CALLS.search(message.plain)


@modest
@given(TEXTS)
def test_nothing_is_hidden(text: str) -> None:
    for message in render(Answer(text, (SOURCE,))):
        assert not INVISIBLE.search(str(message.blocks) + message.text + message.plain)


@modest
@example(f"`<!channel>` <{CITED}> **[x]({CITED}?d=1)** https://evil.com <@U1> \u202e @here")
@given(TEXTS.filter(lambda text: "\n" not in text))
def test_slacks_own_table_calls_nobody_hides_nothing_and_leads_to_sources_alone(text: str) -> None:
    for leaf in cells(in_table(text)):
        assert not CALLS.search(leaf["text"])
        assert not INVISIBLE.search(leaf["text"])
        assert leaf.get("url", CITED).partition("#")[0] == CITED
        assert {found.partition("#")[0].rstrip(".,;:!?'*_~") for found in OPENABLE.findall(leaf["text"])} <= {CITED}


@modest
@given(TEXTS)
def test_no_html_comes_through(text: str) -> None:
    for part in markdown(text):
        tokens = READERS[0].parse(part)
        kinds = {child.type for token in tokens for child in (token, *(token.children or ()))}
        assert not kinds & {"html_block", "html_inline", "image"}


@modest
@given(TEXTS, st.sampled_from([1, 20, 400]))
def test_every_part_is_within_slacks_limits(text: str, times: int) -> None:
    messages = render(Answer((text * times)[:30_000], (SOURCE,)))
    assert 1 <= len(messages) <= MAX_PARTS
    for message in messages:
        check([dict(block) for block in message.blocks])
        part = str((message.otherwise or message).blocks[0]["text"])
        assert 0 < len(part.encode("utf-16-le")) // 2 <= MAX_MARKDOWN
        MarkdownBlock(text=part).validate_json()
        assert len(message.text.encode("utf-16-le")) // 2 <= MAX_TEXT
        assert sum(len(str(block.get("text", "")) or str(block)) for block in message.blocks) <= MAX_BLOCKS_TEXT


@modest
@given(TEXTS, st.sampled_from([1, 20, 400]))
def test_no_fence_is_left_open(text: str, times: int) -> None:
    for part in markdown((text * times)[:30_000]):
        closed = READERS[1].parse(f"{part}\n\nafter")
        assert (closed[-2].content, closed[-2].type) == ("after", "inline")
        assert closed[-3].level == 0
