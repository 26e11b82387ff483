from __future__ import annotations

import pytest

from athenaeum.domain.identity import PassageId
from athenaeum.domain.turn import Answer, Citation
from athenaeum.slack.formatting import render
from athenaeum.slack.formatting.rendering import MAX_BLOCKS_TEXT, MAX_MARKDOWN, MAX_TEXT
from athenaeum.slack.formatting.splitting import CUT, MAX_PARTS


def markdown(text: str) -> list[str]:
    return [str((message.otherwise or message).blocks[0]["text"]) for message in render(Answer(text))]


@pytest.mark.parametrize(
    "text",
    [
        "Plain words.",
        "# Title\n\nText with **bold**, *italic*, ~~struck~~ and `code`.",
        "- one\n- two\n  - nested\n- three",
        "3. three\n4. four",
        "- loose\n\n- list",
        "> quoted\n>\n> twice",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
        "| a | b | c |\n| :--- | :---: | ---: |\n| 1 | 2 | 3 |",
        "```python\ndef f(x: int) -> list[int]:\n    return [x]\n```",
        "````\n```\ninner\n```\n````",
        "snake_case_name and a < b && c > d [1] R&D 50% x = 3",
        "line one\nline two",
        "- [ ] to do\n- [x] done",
        "---",
        "- item\n\n  ```sh\n  ls\n  ```",
        "naïve café 日本語 👩‍👩‍👧 ❤️",
    ],
)
def test_what_is_harmless_stays_as_it_was_written(text: str) -> None:
    assert markdown(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!channel> hello", "&lt;!channel> hello"),
        ("<!subteam^S1|team>", "&lt;!subteam^S1|team>"),
        ("ask <@U123>", "ask &lt;@U123>"),
        ("in <#C123|general>", "in &lt;#C123|general>"),
        ("&lt;!here&gt;", "&lt;!here>"),
        ("@channel @here @Everyone", "\uff20channel \uff20here \uff20Everyone"),
        ("`<!channel>` `@here`", "`< !channel>` `\uff20here`"),
        ("```\n<@U123>\n```", "```\n< @U123>\n```"),
        ("a\U000e0041\U000e0042b", "ab"),
        ("a\u202eb\u200bc\ufeffd", "abcd"),
        ("&#8238;x", "x"),
        ("<b>bold</b><script>", "&lt;b>bold&lt;/b>&lt;script>"),
    ],
)
def test_nobody_is_called_and_nothing_is_hidden(text: str, expected: str) -> None:
    assert markdown(text) == [expected]


def test_text_for_notifications_has_no_marks() -> None:
    (message,) = render(Answer("# Title\n\n- **one** & `two`\n- [x](https://evil.com) <b>"))
    assert message.text == "Title\n\n• one &amp; two\n• x (hxxps://evil[.]com) &lt;b&gt;"


def test_an_empty_answer_says_so() -> None:
    assert markdown(" \u200b\n") == ["I have nothing to say to this."]


def test_long_code_is_cut_between_lines_and_each_part_keeps_its_fence() -> None:
    lines = [f"print({n})  # {'x' * 60}" for n in range(300)]
    parts = markdown("```python\n" + "\n".join(lines) + "\n```")
    assert len(parts) > 1
    assert all(part.startswith("```python\n") and part.endswith("\n```") for part in parts)
    assert [line for part in parts for line in part.split("\n")[1:-1]] == lines


def test_a_long_table_is_cut_between_rows_and_each_part_repeats_the_header() -> None:
    rows = [f"| row {n} | {'x' * 60} |" for n in range(300)]
    parts = markdown("| name | text |\n|---|---|\n" + "\n".join(rows))
    assert len(parts) > 1
    assert all(part.startswith("| name | text |\n| --- | --- |\n") for part in parts)
    assert [row for part in parts for row in part.split("\n")[2:]] == rows


def test_a_long_list_is_cut_between_items_and_goes_on_counting() -> None:
    items = [f"{n}. {'x' * 60}" for n in range(1, 301)]
    parts = markdown("\n".join(items))
    assert len(parts) > 1
    assert [item for part in parts for item in part.split("\n")] == items


def test_a_long_paragraph_is_cut_between_words() -> None:
    words = [f"word{n}" for n in range(5000)]
    parts = markdown(" ".join(words))
    assert len(parts) > 1
    assert " ".join(parts).split() == words


def test_a_character_of_two_units_is_never_cut() -> None:
    parts = markdown("😀" * 20_000)
    assert all(set(part) <= set(f"😀\n{CUT}") for part in parts)
    assert all(len(part.encode("utf-16-le")) // 2 <= MAX_MARKDOWN for part in parts)


def test_what_is_too_long_for_five_parts_ends_in_a_note() -> None:
    parts = markdown("\n\n".join("word " * 2000 for _ in range(9)))
    assert len(parts) == MAX_PARTS
    assert parts[-1].endswith(CUT)


def test_sources_stand_below_the_last_part_within_the_limits() -> None:
    sources = tuple(
        Citation(n, PassageId(n), f"Title {n} " + "t" * 200, f"https://docs.corp.dev/{n}/" + "p" * 200, "quote " * 90)
        for n in range(1, 41)
    )
    messages = render(Answer("word " * 5000, sources))
    assert [len(message.blocks) for message in messages] == [1] * (len(messages) - 1) + [2]
    assert sum(len(str(block.get("text") or block["elements"][0]["text"])) for block in messages[-1].blocks) <= (
        MAX_BLOCKS_TEXT
    )
    listed = messages[-1].blocks[1]["elements"][0]["text"]
    assert listed.startswith("[1] <https://docs.corp.dev/1/")
    assert " more" in listed


def test_a_source_shows_its_title_its_place_and_its_words() -> None:
    sources = (
        Citation(1, PassageId(1), "A <b> | B", "https://docs.corp.dev/a?x=1&y=2", "see https://evil.com <!here>"),
        Citation(2, PassageId(2), "notes.md", None, ""),
        Citation(3, PassageId(3), "Odd", "javascript:alert(1)", "words"),
    )
    (message,) = render(Answer("Yes [1][2][3].", sources))
    assert message.blocks[1]["elements"][0] == {
        "type": "mrkdwn",
        "verbatim": True,
        "text": (
            "[1] <https://docs.corp.dev/a?x=1&amp;y=2|A &lt;b&gt; / B> — “see hxxps://evil[.]com &lt;!here&gt;”\n"
            "[2] notes.md\n"
            "[3] Odd — “words”"
        ),
    }


def test_notifications_are_short_enough_for_an_update() -> None:
    (message, *_) = render(Answer("&<> 😀 " * 1500))
    assert len(message.text.encode("utf-16-le")) // 2 <= MAX_TEXT
    assert not message.text.removesuffix("…").endswith(("&", "&a", "&am", "&amp", "&l", "&lt", "&g", "&gt"))
