from __future__ import annotations

import json
from typing import Any

import pytest

from athenaeum.conversations.archive.eventlog import LoggedMessage

TOKEN = f"t=xox{'e'}-1-2"
RAW: dict[str, Any] = {
    "type": "message",
    "ts": "1704103200.000100",
    "text": "Größe 🧊",
    "reactions": [{"name": "eyes"}],
}


def test_what_may_be_stored_is_kept_as_it_is() -> None:
    kept = LoggedMessage.of(RAW)
    assert kept.ts == RAW["ts"]
    assert json.loads(kept.json) == RAW


@pytest.mark.parametrize(
    ("unclean", "clean"),
    [
        ({"text": "a\0b"}, {"text": "ab"}),
        ({"files": [{"na\0me": "plan"}]}, {"files": [{"name": "plan"}]}),
        ({"text": "a\ud800b"}, {"text": "ab"}),
        ({"files": [{"url_private": f"https://x/?{TOKEN}"}]}, {"files": [{"url_private": "https://x/"}]}),
        ({"inner": {"token": "secret", "stays": 1}}, {"inner": {"stays": 1}}),
        ({"root": {"text": "another message"}}, {}),
    ],
)
def test_what_may_not_is_taken_out(unclean: dict[str, Any], clean: dict[str, Any]) -> None:
    plain = {"ts": "1704103200.000100"}
    assert json.loads(LoggedMessage.of({**plain, **unclean}).json) == {**plain, **clean}
