"""The small lists of words that the rules know, from `words.toml` beside this file.

In a language that is not in them a question mark still makes a question, and a name is still a name.
"""

from __future__ import annotations

import tomllib
from importlib import resources

_LISTS: dict[str, list[str]] = tomllib.loads(
    resources.files(__package__ or "").joinpath("words.toml").read_text(encoding="utf-8")
)

THANKS = _LISTS["thanks"]
ASSENT = _LISTS["assent"]
FILLERS = _LISTS["fillers"]
INTERROGATIVES = _LISTS["interrogatives"]
AUXILIARIES = _LISTS["auxiliaries"]
SUBJECTS = _LISTS["subjects"]
REQUESTS = _LISTS["requests"]
PLEAS = _LISTS["pleas"]
TO_EVERYONE = _LISTS["to_everyone"]
GREETINGS = _LISTS["greetings"]
TO_A_PERSON = _LISTS["to_a_person"]
