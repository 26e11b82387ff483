"""Control 10: a credential that somebody pasted into a source is read by no model, and told and logged nowhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import PassageId
from athenaeum.domain.passage import Origin
from athenaeum.domain.secret import HIDDEN, mask
from athenaeum.domain.turn import Answer, Citation
from athenaeum.llm.offline import OfflineModel
from athenaeum.observability.logging import hide_secrets
from athenaeum.retrieval.passages import NewPassage
from athenaeum.slack.formatting import render
from support.desk import CountedIndex, Desk

_LONG = "aB3" * 14
# put together here, so that no scanner takes them for somebody's
CREDENTIALS = {
    "slack bot": "xox" + f"b-1234567890-{_LONG}",
    "slack refresh": "xox" + f"e.xoxp-1-{_LONG}",
    "slack app": "xap" + f"p-1-A0123-{_LONG}",
    "github": "gh" + f"p_{_LONG}",
    "github fine": "github" + f"_pat_{_LONG}",
    "anthropic": "sk-" + f"ant-api03-{_LONG}",
    "openai": "sk-" + f"proj-{_LONG}",
    "amazon": "AKI" + "A" + "ABCDEFGH12345678",
    "google": "AIz" + f"a{_LONG}",
    "jwt": "ey" + f"J{_LONG}.ey" + f"J{_LONG}.{_LONG}",
    "pem": "-----BEGIN RSA PRIVATE " + f"KEY-----\n{_LONG}\n{_LONG}\n-----END RSA PRIVATE KEY-----",
    "cut pem": "-----BEGIN OPENSSH PRIVATE " + f"KEY-----\n{_LONG}",
}
every_credential = pytest.mark.parametrize("credential", CREDENTIALS.values(), ids=CREDENTIALS.keys())


@pytest.fixture
async def desk(database: DatabaseConnection) -> Desk:
    made = Desk(database, CountedIndex(database))
    await made.set_out()
    return made


def _is_out(credential: str, text: str) -> bool:
    return any(piece in text for piece in (credential, _LONG, "ABCDEFGH12345678"))


@every_credential
def test_a_credential_is_masked_and_the_words_around_it_stay(credential: str) -> None:
    assert mask(f"The key is {credential}") == f"The key is {HIDDEN}"
    assert not _is_out(credential, mask(f"a=({credential})"))


@pytest.mark.parametrize(
    "text",
    [
        "Put SLACK_BOT_TOKEN=xoxb-your-token into .env",
        "postgresql://user:password@localhost:5432/athenaeum",
        "the task-force met; see disk-usage and risk-assessment-2026",
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "https://hooks.example.com/services/T1",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert mask(text) == text


@given(st.text(max_size=60), st.sampled_from(sorted(CREDENTIALS.values())), st.text(max_size=60))
def test_whatever_stands_around_it_a_credential_is_masked_once_and_for_all(before: str, key: str, after: str) -> None:
    masked = mask(f"{before} {key} {after}")

    assert not _is_out(key, masked.replace(before, "").replace(after, "") if _LONG not in before + after else "")
    assert mask(masked) == masked


@every_credential
def test_an_answer_shows_none_in_its_text_its_sources_or_its_notification(credential: str) -> None:
    source = Citation(1, PassageId(1), f"On {credential}", None, f"The key is {credential}")
    shown = render(Answer(f"Use `{credential}` [1]\n\n```\n{credential}\n```", (source,)))

    assert not _is_out(credential, json.dumps([[part.text, list(part.blocks), part.plain] for part in shown]))
    assert HIDDEN in str(shown)


@every_credential
def test_a_log_line_has_none_at_any_depth(credential: str) -> None:
    event = hide_secrets(None, "info", {"event": "x", "error": f"E: {credential}", "deep": {"list": [credential]}})

    assert not _is_out(credential, json.dumps(dict(event)))


@pytest.mark.parametrize("name", ["slack bot", "pem", "jwt"])
async def test_neither_the_model_nor_the_answer_nor_the_journal_has_one_that_stands_in_a_source(
    desk: Desk, name: str
) -> None:
    credential = CREDENTIALS[name]
    await desk.put("leak", NewPassage(Origin.DOCUMENT, "Deploying", f"The deployment credential is {credential} here."))
    answer = await desk.answer(OfflineModel(), "What is the deployment credential?")

    assert HIDDEN in answer.text
    assert not _is_out(credential, str(answer))
    kept = await desk.execute("SELECT result::text FROM steps")
    assert len(kept) > 1
    assert not _is_out(credential, str(kept))


async def test_a_statement_that_fails_does_not_tell_its_values(database: DatabaseConnection) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with database.session() as session:
            await session.execute(text("SELECT CAST(:words AS text) FROM nowhere"), {"words": "canary"})

    assert "nowhere" in str(failed.value)
    assert "canary" not in str(failed.value)
