"""What a person types, as Slack stores it: escaped text and the rich_text block beside it."""

from __future__ import annotations

import re

from slacksim.model import JsonObject

# A token that Slack writes itself: <@U1>, <#C1|name>, <!here>, <https://…|label>, <mailto:…>
TOKEN = re.compile(r"<(?:[@#!][^<>]+|(?:https?://|mailto:)[^<>]+)>")
CODE = re.compile(r"(```[\s\S]*?```|`[^`\n]+`)")
ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
BARE_LINK = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"]")


def stored(typed: str) -> str:
    """The text that Slack keeps of what was typed: stray ``&``, ``<``, ``>`` escaped, bare links wrapped.

    Links in code stay as they are.
    """
    pieces = CODE.split(typed)
    return "".join(_escaped(piece) if index % 2 else _prose(piece) for index, piece in enumerate(pieces))


def _prose(typed: str) -> str:
    parts: list[str] = []
    position = 0
    for token in TOKEN.finditer(typed):
        parts += [_plain(typed[position : token.start()]), token.group()]
        position = token.end()
    parts.append(_plain(typed[position:]))
    return "".join(parts)


def _plain(text: str) -> str:
    return BARE_LINK.sub(lambda link: f"<{link.group()}>", _escaped(text))


def _escaped(text: str) -> str:
    return ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def block(text: str, block_id: str) -> JsonObject:
    """The rich_text block of a stored text."""
    elements: list[JsonObject] = []
    position = 0
    for token in TOKEN.finditer(text):
        if token.start() > position:
            elements.append({"type": "text", "text": _unescaped(text[position : token.start()])})
        elements.append(_element(token.group()[1:-1]))
        position = token.end()
    if position < len(text):
        elements.append({"type": "text", "text": _unescaped(text[position:])})
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": block_id, "elements": [section]}


def _element(token: str) -> JsonObject:
    target, _, label = token.partition("|")
    match target[0]:
        case "@":
            return {"type": "user", "user_id": target[1:]}
        case "#":
            return {"type": "channel", "channel_id": target[1:]}
        case "!":
            return {"type": "broadcast", "range": target[1:]}
        case _:
            link: JsonObject = {"type": "link", "url": _unescaped(target)}
            return link | {"text": _unescaped(label)} if label else link


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def links(text: str) -> list[str]:
    """The addresses in a text, in order, each once."""
    return list(dict.fromkeys(BARE_LINK.findall(text)))
