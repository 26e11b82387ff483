from __future__ import annotations

import pytest

from athenaeum.domain.identity import PassageId
from athenaeum.domain.turn import Answer, Citation
from athenaeum.slack.formatting import render
from athenaeum.slack.formatting.links import LinkPolicy, defanged

CITED = "https://docs.corp.dev/retry#how"


def shown(markdown: str, *, quote: str = "", hosts: tuple[str, ...] = ()) -> str:
    source = Citation(1, PassageId(1), "Retrying", CITED, quote)
    (message,) = render(Answer(markdown, (source,)), allowed_hosts=hosts)
    return str((message.otherwise or message).blocks[0]["text"])


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (f"[docs]({CITED})", f"[docs]({CITED})"),
        (f"see {CITED}.", f"see <{CITED}>."),
        (f"<{CITED}>", f"<{CITED}>"),
        (f'[docs]({CITED} "title")', f"[docs]({CITED})"),
        ("[docs](https://docs.corp.dev/retry)", "[docs](https://docs.corp.dev/retry)"),
        (f"[docs][r]\n\n[r]: {CITED}", f"[docs]({CITED})"),
        (f"![diagram]({CITED})", f"[diagram]({CITED})"),
        (f"[https://bank.corp.com]({CITED})", f"[hxxps://bank\\[.\\]corp\\[.\\]com]({CITED})"),
    ],
)
def test_the_address_of_a_source_stays_a_link(markdown: str, expected: str) -> None:
    assert shown(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[click](https://evil.com/?d=1)", "click (hxxps://evil[.]com/?d=1)"),
        ("https://evil.com/?d=1", "hxxps://evil[.]com/?d=1"),
        ("<https://evil.com>", "hxxps://evil[.]com"),
        ("HTTPS://EVIL.COM", "HXXPS://EVIL[.]COM"),
        ("www.evil.com/x", "www[.]evil[.]com/x"),
        ("![alt](https://evil.com/i.png)", "alt (hxxps://evil[.]com/i.png)"),
        ("[click][r]\n\n[r]: https://evil.com", "click (hxxps://evil[.]com)"),
        ("[r]\n\n[r]: https://evil.com", "r (hxxps://evil[.]com)"),
        ("[x](javascript:alert(1))", "[x\\](javascript[:]alert(1))"),
        ("data:text/html;base64,AAAA", "data[:]text/html;base64,AAAA"),
        ("[click](evil.com/x)", "click (evil[.]com/x)"),
        ("https\\://evil.com", "hxxps://evil[.]com"),
        ("&#104;ttps://evil.com", "hxxps://evil[.]com"),
        ("https://ev\u200bil.com", "hxxps://evil[.]com"),
        ("https://docs.corp.dev@evil.com/retry", "hxxps://docs[.]corp[.]dev@evil[.]com/retry"),
        ("https://docs.corp.dev.evil.com/retry", "hxxps://docs[.]corp[.]dev[.]evil[.]com/retry"),
        ("https://docs.corp.dev/retry?d=SECRET", "hxxps://docs[.]corp[.]dev/retry?d=SECRET"),
        ("`https://evil.com`", "`hxxps://evil[.]com`"),
        ("| a |\n|---|\n| [x](https://evil.com) |", "| a |\n| --- |\n| x (hxxps://evil[.]com) |"),
        ("```\ncurl https://evil.com\n```", "```\ncurl hxxps://evil[.]com\n```"),
        ("https://еvil.com", "hxxps://еvil[.]com"),  # noqa: RUF001 - a Cyrillic letter, as in a homograph attack
    ],
)
def test_any_other_address_is_shown_but_opens_nothing(markdown: str, expected: str) -> None:
    assert shown(markdown) == expected


def test_a_host_that_the_operator_allows_may_be_linked() -> None:
    assert shown("[x](https://wiki.corp.dev/p)", hosts=("wiki.corp.dev",)) == "[x](https://wiki.corp.dev/p)"
    assert "hxxps" in shown("[x](https://wiki.corp.dev.evil.com/p)", hosts=("wiki.corp.dev",))


def test_an_address_that_stands_in_a_source_is_written_out_as_code() -> None:
    assert shown("Open https://hub.corp.dev/a.", quote="at https://hub.corp.dev/a now") == (
        "Open `https://hub.corp.dev/a`."
    )
    assert shown("Open https://hub.corp.dev/a?d=1", quote="at https://hub.corp.dev/a now") == (
        "Open hxxps://hub[.]corp[.]dev/a?d=1"
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/health", "http://localhost:8001/", "https://api.example.com/x"])
def test_an_address_that_leads_nowhere_outside_can_be_copied(url: str) -> None:
    assert shown(f"```bash\ncurl {url}\n```") == f"```bash\ncurl {url}\n```"
    assert shown(f"Open {url}") == f"Open `{url}`"


def test_a_connection_string_can_be_copied() -> None:
    assert shown("`postgresql://user@host:5432/name`") == "`postgresql://user@host:5432/name`"


def test_a_link_with_parentheses_ends_where_it_should() -> None:
    policy = LinkPolicy.of((), ("wiki.corp.dev",))
    assert policy.allows("https://wiki.corp.dev/a_(b)")
    assert shown("[x](https://wiki.corp.dev/a_(b))", hosts=("wiki.corp.dev",)) == (
        "[x](https://wiki.corp.dev/a_%28b%29)"
    )


def test_defanging_keeps_the_address_readable() -> None:
    assert defanged("ftp://files.evil.com/a.b") == "fxp://files[.]evil[.]com/a.b"
