"""Whether a message without a mention is for the bot: rules, no model, and silence on doubt.

The order is the meaning: whoever is named is spoken to, thanks need no answer, two people who talk are left alone,
and what is left is answered when it asks for something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from athenaeum.conversations.addressing.speech import any_of, called, consists_of, said, to_everyone_here
from athenaeum.conversations.addressing.words import (
    ASSENT,
    AUXILIARIES,
    FILLERS,
    INTERROGATIVES,
    PLEAS,
    REQUESTS,
    SUBJECTS,
    THANKS,
    TO_EVERYONE,
)
from athenaeum.conversations.archive.mrkdwn import mentioned, spoken
from athenaeum.domain.identity import UserId

_THANKS = re.compile(rf"{any_of([*THANKS, *ASSENT])} ")
_ASSENT = re.compile(rf"{any_of(ASSENT)} ")
_HEAD = rf"^(?:{any_of([*FILLERS, *THANKS, *ASSENT])}[\s,.!]+)*"
_ASKS = re.compile(
    rf"{_HEAD}(?:{any_of([*INTERROGATIVES, *REQUESTS])}|{any_of(AUXILIARIES)} {any_of(SUBJECTS)})(?![\w'])"
)
_PLEA = re.compile(rf"(?<!\w){any_of(PLEAS)}(?!\w)")
_EVERYONE = re.compile(rf"(?<!\w){any_of(TO_EVERYONE)}(?!\w)")
_QUESTION_MARK = re.compile("[?\uff1f\u061f]")


class Judgement(StrEnum):
    """What a message is; only the first is answered where the bot listens."""

    ASKS = "asks"
    NO_QUESTION = "no question"
    THANKS = "thanks"
    TO_SOMEBODY_ELSE = "to somebody else"
    AMONG_PEOPLE = "among people"
    NO_WORDS = "no words"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message without a mention of the bot, and what is known of the talk before it."""

    text: str
    """As Slack wrote it."""
    bot: UserId | None = None
    bot_names: frozenset[str] = frozenset()
    """What the bot is called, in lower case."""
    names: frozenset[str] = frozenset()
    """Those words of `speech.called(text)` that are other people's names."""
    among_people: bool = False
    """The one before was said by a person, and not to the bot."""
    unanswered: bool = False
    """The writer's own question, right before this, has not been begun."""
    asked_back: bool = False
    """The bot's answer, right before this, ended with a question."""


def judge(heard: Heard) -> Judgement:
    """Say what the message is."""
    words = _without_names(said(heard.text), heard.bot_names)
    marked = _QUESTION_MARK.search(words) is not None
    by_name = bool(heard.bot_names & called(heard.text))
    if _calls_others(heard):
        verdict = Judgement.TO_SOMEBODY_ELSE
    elif not marked and not by_name and not any(character.isalnum() for character in words):
        verdict = Judgement.NO_WORDS
    elif heard.asked_back and consists_of(words, _ASSENT):
        verdict = Judgement.ASKS
    elif is_thanks(words) and not marked:
        verdict = Judgement.THANKS
    elif by_name:
        verdict = Judgement.ASKS
    elif heard.among_people or _EVERYONE.search(words):
        verdict = Judgement.AMONG_PEOPLE
    elif is_question(heard.text) or heard.unanswered or heard.asked_back:
        verdict = Judgement.ASKS
    else:
        verdict = Judgement.NO_QUESTION
    return verdict


def is_thanks(text: str) -> bool:
    """Whether the text is nothing but thanks, consent or applause."""
    return consists_of(said(text), _THANKS)


def is_question(text: str) -> bool:
    """Whether the text asks for something, of whomever."""
    words = said(text)
    return any(pattern.search(words) is not None for pattern in (_QUESTION_MARK, _ASKS, _PLEA))


def _calls_others(heard: Heard) -> bool:
    others = mentioned([spoken(heard.text)]) - {heard.bot}
    return bool(others or heard.names - heard.bot_names) or to_everyone_here(heard.text)


def _without_names(words: str, names: frozenset[str]) -> str:
    for name in names:
        words = re.sub(rf"(?<!\w)@?{re.escape(name)}(?!\w)[\s,:]*", "", words)
    return words.strip()
