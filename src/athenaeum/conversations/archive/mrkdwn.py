"""Slack's markup turned into words that people and models read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from athenaeum.domain.identity import UserId

# https://docs.slack.dev/messaging/formatting-message-text: <@U1|name> <#C1|name> <!here> <https://x|label>
_REFERENCE = re.compile(r"<([@#!]?)([^<>|\s][^<>|]*)(?:\|([^<>]*))?>")
_MENTION = re.compile(r"<@([A-Za-z0-9_-]{1,64})(?:\|[^<>]*)?>")
# what Slack shows as code or as a quotation; `>>>` quotes all that follows
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_QUOTE = re.compile(r"^[ \t]*&gt;(?:&gt;&gt;(?s:.*)\Z|.*$)", re.MULTILINE)
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def unescape(text: str) -> str:
    """Undo the three escapes that Slack applies to text."""
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def spoken(text: str) -> str:
    """What the writer says themselves: the text without code and quotations, its markup as it was."""
    return _QUOTE.sub(" ", _CODE.sub(" ", text))


def mentions(text: str, user: UserId) -> bool:
    """Whether the text mentions this user, with or without a name in the mention; in code or a quotation it doesn't."""
    return user in mentioned([spoken(text)])


def mentioned(texts: Iterable[str]) -> set[UserId]:
    """Every user that the texts mention."""
    return {UserId(match[1]) for text in texts for match in _MENTION.finditer(text)}


def without_mention(text: str, user: UserId | None) -> str:
    """The text as typed, mentions of `user` taken out wherever they stand; other mentions stay as they are."""
    if user is not None:
        text = re.sub(rf"<@{re.escape(user)}(?:\|[^<>]*)?>[ \t]*", "", text)
    return unescape(text).strip()


def plain(text: str, names: Mapping[UserId, str]) -> str:
    """The text with mentions as @names, channels as #names, and links as their label and address."""

    def word(match: re.Match[str]) -> str:
        sign, target, label = match[1], match[2], match[3]
        if sign == "@":
            return "@" + (names.get(UserId(target)) or label or target)
        if sign == "#":
            return "#" + (label or target)
        if sign == "!":
            return label or "@" + target.partition("^")[0]
        return f"{label} ({target})" if label and label not in target else target

    return unescape(_REFERENCE.sub(word, text))
