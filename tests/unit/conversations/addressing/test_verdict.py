"""Who a message without a mention is for: the rules, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athenaeum.conversations.addressing.speech import called
from athenaeum.conversations.addressing.verdict import Heard, Judgement, is_question, is_thanks, judge
from athenaeum.conversations.addressing.words import ASSENT, REQUESTS, THANKS
from athenaeum.domain.identity import UserId

BOT = UserId("UBOT")
TEAM = frozenset({"bob", "maya", "maya chen", "will", "thanh thảo", "zoë"})


def hear(text: str, **known: bool) -> Judgement:
    """The verdict in a thread of people with these names, under a bot called Athenaeum."""
    names = called(text) & TEAM
    return judge(Heard(text, bot=BOT, bot_names=frozenset({"athenaeum"}), names=names, **known))


@pytest.mark.parametrize(
    "text",
    [
        "How do I roll it back?",
        "how do I roll it back",
        "and for staging?",
        "And what about the billing service",
        "ok, but why",
        "thanks, and how long does it take?",
        "Thanks! Is there a runbook for it",
        "Is the queue drained",
        "show me the command",
        "please list all of them",
        "Explain the second step",
        "Could you write that as a table",
        "I need this for the eu cluster, please",
        "the EU one too, pls",
        "Wie lange dauert das?",
        "Kannst du das zusammenfassen",
        "und wie geht das auf Staging",
        "Bitte auf Deutsch",
        "Comment faire sur staging",
        "et pour la prod ?",
        "peux-tu résumer ça",
        "¿y en producción?",
        "Puedes explicar el segundo paso",
        "そのコマンドは\uff1f",
        "هل هذا صحيح؟",
        "Athenaeum, the staging cluster as well",
        "athenaeum?",
        "???",
        "what does `retry <@UBOB>` do?",
        "What is <https://example.org/x?y=1|this page> about",
    ],
)
def test_a_question_or_a_request_is_for_the_bot_that_listens(text: str) -> None:
    assert hear(text) is Judgement.ASKS


@pytest.mark.parametrize(
    "text",
    [
        "<@UBOB> can you look?",
        "can you look, <@UBOB|bob>?",
        "what does <@WBOB> think?",
        "<!here> is anybody on call?",
        "<!subteam^S01|@oncall> how do I roll back?",
        "@bob can you look?",
        "Bob, can you look?",
        "bob: which one was it?",
        "Bob - how did you do it?",
        "hey Bob can you look?",
        "Hi Maya, do you know?",
        "Maya Chen, do you know?",
        "Maya, Bob, who did this?",
        "Thanks Bob",
        "thanks, Bob!",
        "Bob can you look?",
        "Will, can you do that?",
        "Bob?",
        "Could you do that, Bob?",
        "Zoë, what do you think?",
        "Thanh Thảo, peux-tu regarder ?",
        "Bob, what did Athenaeum say?",
    ],
)
def test_who_is_called_is_spoken_to(text: str) -> None:
    assert hear(text) is Judgement.TO_SOMEBODY_ELSE


@pytest.mark.parametrize(
    "text", ["Will the queue drain by itself?", "Did Bob deploy this?", "What did Maya decide about retries?"]
)
def test_who_is_only_talked_about_is_not_spoken_to(text: str) -> None:
    assert hear(text) is Judgement.ASKS


@pytest.mark.parametrize(
    "text",
    [
        "thanks",
        "Thanks!",
        "thank you so much :pray:",
        "Thanks a lot, that helps!",
        "ok",
        "OK, got it. Thanks!",
        "perfect :tada:",
        "Great, makes sense",
        "yes",
        "no worries",
        "thanks athenaeum",
        "Danke!",
        "Vielen Dank, alles klar.",
        "merci beaucoup !",
        "D\u2019accord, merci",
        "gracias",
        "Grazie mille",
        "obrigada!",
        "dank je wel",
        "Dziękuję",
        "Спасибо!",
        "teşekkürler",
        "ありがとうございます\uff01",
        "谢谢",
    ],
)
def test_thanks_need_no_answer(text: str) -> None:
    assert hear(text) is Judgement.THANKS


@pytest.mark.parametrize(
    "text", ["", "   ", ":+1:", "👍", "🎉🎉", "https://example.org/a?b=c", "<https://e.org|here>", "`x`"]
)
def test_what_has_no_words_needs_no_answer(text: str) -> None:
    assert hear(text) is Judgement.NO_WORDS


@pytest.mark.parametrize(
    "text",
    [
        "I tried it on staging.",
        "Should work now.",
        "was thinking the same",
        "That is the one from last week",
        "Das habe ich schon probiert.",
        "&gt; how do I roll back?\nI tried it.",
        "```how do I roll back?```\nlooks wrong",
    ],
)
def test_a_remark_is_no_question(text: str) -> None:
    assert hear(text) is Judgement.NO_QUESTION


@pytest.mark.parametrize(
    "text", ["does anyone know this?", "can someone check?", "Hey team, who is on call?", "weiß jemand mehr?"]
)
def test_a_question_to_the_room_is_left_to_the_room(text: str) -> None:
    assert hear(text) is Judgement.AMONG_PEOPLE


@pytest.mark.parametrize("text", ["how long does it take?", "please try it again", "I tried it.", "show me"])
def test_two_people_who_talk_are_left_alone(text: str) -> None:
    assert hear(text, among_people=True) is Judgement.AMONG_PEOPLE


def test_the_bots_name_brings_it_back_among_people() -> None:
    assert hear("athenaeum, what do our docs say?", among_people=True) is Judgement.ASKS


def test_a_remark_belongs_to_the_writers_question_that_waits() -> None:
    assert hear("the EU cluster", unanswered=True) is Judgement.ASKS
    assert hear("thanks!", unanswered=True) is Judgement.THANKS
    assert hear("Bob, the EU cluster", unanswered=True) is Judgement.TO_SOMEBODY_ELSE


@pytest.mark.parametrize("text", ["yes", "yes please", "the EU cluster", "ja bitte", "ok"])
def test_what_the_bot_asked_is_answered_to_it(text: str) -> None:
    assert hear(text, asked_back=True) is Judgement.ASKS


def test_thanks_are_thanks_also_when_the_bot_asked() -> None:
    assert hear("thanks a lot!", asked_back=True) is Judgement.THANKS


phrases = st.lists(st.sampled_from([*THANKS, *ASSENT]), min_size=1, max_size=5)
marks = st.sampled_from([" ", ", ", "! ", ". ", " :tada: ", "\n"])


@given(phrases, marks)
def test_thanks_stay_thanks_however_many(said: list[str], mark: str) -> None:
    assert is_thanks(mark.join(said))


@given(phrases, st.sampled_from(["how do I retry an event?", "show me the docs", "wie geht das?"]))
def test_thanks_before_a_question_do_not_hide_it(said: list[str], question: str) -> None:
    text = f"{', '.join(said)}, {question}"

    assert not is_thanks(text)
    assert is_question(text)


@given(st.text(max_size=200), st.booleans(), st.booleans(), st.booleans())
def test_a_mention_of_somebody_else_is_never_for_the_bot(text: str, among: bool, waiting: bool, back: bool) -> None:
    heard = Heard(f"<@UBOB> {text.replace('`', '')}", BOT, among_people=among, unanswered=waiting, asked_back=back)

    assert judge(heard) is Judgement.TO_SOMEBODY_ELSE


@given(st.text(max_size=300))
def test_any_text_has_a_verdict(text: str) -> None:
    assert hear(text) in set(Judgement)


@given(st.sampled_from(REQUESTS), st.text(max_size=40))
def test_among_people_no_request_without_a_name_is_for_the_bot(request: str, rest: str) -> None:
    verdict = judge(Heard(f"{request} {rest}", BOT, bot_names=frozenset({"athenaeum"}), among_people=True))

    assert verdict is not Judgement.ASKS or "athenaeum" in rest.lower()
