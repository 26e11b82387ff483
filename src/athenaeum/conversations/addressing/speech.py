"""What a message says for itself, and whom it calls by name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from athenaeum.conversations.addressing.words import GREETINGS, TO_A_PERSON
from athenaeum.conversations.archive.mrkdwn import spoken, unescape

_LINK = re.compile(r"<(?:https?:|mailto:)[^<>]*>|https?://\S+")
_MARKUP = re.compile(r"<[@#!][^<>]*>")
_EMOJI = re.compile(r":[\w+'-]+:(?::skin-tone-\d:)?")
_BROADCAST = re.compile(r"<!(?:here|channel|everyone|group|subteam\^[^<>]*)[^<>]*>")
_NAME = r"[^\W\d_][\w'.-]*"
_CALLED = f"@?({_NAME}(?: {_NAME})?)"
_BY_NAME = re.compile(rf"(?<![\w@])@({_NAME})")


def any_of(phrases: Iterable[str]) -> str:
    """A pattern of alternatives, the longest first, so that a phrase wins over its beginning."""
    return "(?:" + "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True)) + ")"


_GREETED = rf"(?:{any_of(GREETINGS)}\b[\s,!]*)"
_HEADS = (
    re.compile(rf"^{_GREETED}?{_CALLED}\s*[,:\u2013\u2014]"),
    re.compile(rf"^{_GREETED}?{_CALLED}\s+-\s"),
    re.compile(rf"^{_GREETED}{_CALLED}\b"),
    re.compile(rf"^{_GREETED}?{_CALLED}\s+{any_of(TO_A_PERSON)}\b"),
    re.compile(rf"^{_GREETED}?{_CALLED}\s*[?!.…]*$"),
    re.compile(rf",\s*{_CALLED}\s*[?!.…]*$"),
)


def said(text: str) -> str:
    """The words, in lower case, without code, quotes, links, mentions and emoji names."""
    words = _MARKUP.sub(" ", _LINK.sub(" ", spoken(text)))
    return " ".join(unescape(_EMOJI.sub(" ", words)).replace("\u2019", "'").split()).lower()


def to_everyone_here(text: str) -> bool:
    """Whether the message calls a channel or a group of users."""
    return _BROADCAST.search(spoken(text)) is not None


def called(text: str) -> frozenset[str]:
    """Words that stand where somebody's name would, in lower case: "bob" of "Hey Bob, can you look?".

    Most of them are nobody's name, such as "also" of "Also, why?": that is for the caller to know.
    """
    words = said(text)
    found = {match[1] for head in _HEADS if (match := head.search(words))}
    found |= {match[1] for match in _BY_NAME.finditer(words)}
    # two words were taken for a name where the second may belong to the sentence
    firsts = {name.partition(" ")[0] for name in found}
    return frozenset(name.strip(".'-") for name in found | firsts)


def consists_of(words: str, phrases: re.Pattern[str]) -> bool:
    """Whether the words are nothing but these phrases, one after the other."""
    bare = " ".join(re.sub(r"[^\w\s'-]", " ", words).split())
    end = 0
    for match in phrases.finditer(f"{bare} "):
        if match.start() != end:
            return False
        end = match.end()
    return bool(bare) and end == len(bare) + 1
