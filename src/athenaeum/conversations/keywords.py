"""Words that tell the bot what to do rather than ask it something."""

from __future__ import annotations

import re
from enum import StrEnum

from athenaeum.conversations.appointments.wording import read_wish


class Keyword(StrEnum):
    """What a message says in one word; its value is the word that help shows."""

    HELP = "help"
    WHOAMI = "whoami"
    SOURCES = "sources"
    SETTINGS = "settings"
    FORGET = "forget"
    MUTE = "mute"
    UNMUTE = "unmute"
    STOP = "stop"
    DIGEST = "digest"
    """Also with words after it that say when."""
    REMINDERS = "reminders"
    """Also `remind me`, and when of what."""


_WORDS = {keyword.value: keyword for keyword in Keyword} | {
    "?": Keyword.HELP,
    "who am i": Keyword.WHOAMI,
    "stop listening": Keyword.MUTE,
    "start listening": Keyword.UNMUTE,
    "listen": Keyword.UNMUTE,
}


def read_keyword(text: str) -> Keyword | None:
    """The keyword that a message consists of, the mention taken out; "help me with it" is a question like any other."""
    bare = re.sub(r"[\s.!…]+$", "", " ".join(text.lower().split()))
    found = _WORDS.get(bare.removeprefix("/") if len(bare) > 1 else bare)
    if found is None and read_wish(text) is not None:
        return Keyword.DIGEST if "digest" in bare.split()[:2] else Keyword.REMINDERS
    return found
