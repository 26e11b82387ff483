"""Characters: those nobody sees, those that call people, and those that Markdown or Slack would act on."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, without tab, newline and return
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"  # zero width, bidirectional controls
    "\ufe00-\ufe0e\ufeff\uffa0\ufff0-\uffff"  # variation selectors but the one of emoji, byte order mark
    "\ud800-\udfff"  # surrogates without their other half
    "\U000e0000-\U000e0fff"  # tags and more variation selectors: text that only a machine reads
    "]"
)
_LONE_JOINER = re.compile(
    r"(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2190-\u2bff\U0001f000-\U0001faff])"
)
_BROADCAST = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
_SLACK_REFERENCE = re.compile(r"<(?=!(?:channel|here|everyone|subteam|date)|@[UWB]|#[CGD])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?=#\d+;|#[xX][0-9a-fA-F]+;|[A-Za-z][A-Za-z0-9]*;)")
_TAG_START = re.compile(r"<(?![\s=<>-])")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_STAR = re.compile(r"(?<!\s)\*|\*(?!\s)")
_BRACKET = re.compile(r"\](?=[(:\[])")
_LINE_START = re.compile(r"^([ \t]*)(?=#{1,6}(?:\s|$)|>|[-+*](?:\s|$)|[-=:|][-=:| \t]*$|~~~|\|)", re.MULTILINE)
_NUMBERED = re.compile(r"^([ \t]*\d{1,9})(?=[.)](?:\s|$))", re.MULTILINE)


def size(text: str) -> int:
    """The length as Slack's servers count it at worst: in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def visible(text: str) -> str:
    """The text without characters that carry a message past the eye; emoji sequences stay whole."""
    return _LONE_JOINER.sub("", _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def quiet(text: str) -> str:
    """The text with nobody called by it: a full-width sign stands for the @ of @channel, @here and @everyone."""
    return _BROADCAST.sub("\uff20", text)


def literal(text: str) -> str:
    """Text for inside of code, where escapes are shown: Slack's own references are broken up by a space."""
    return _SLACK_REFERENCE.sub("< ", quiet(visible(text)))


def escape(text: str, *, in_table: bool = False, in_label: bool = False) -> str:
    """Plain text as Markdown that shows this text; what needs no escape gets none."""
    text = quiet(visible(text))
    text = re.sub(r"\\(?=[!-/:-@\[-`{-~\n]|$)", r"\\\\", text)
    text = text.replace("`", "\\`")
    text = _STAR.sub(r"\\*", text)
    text = _UNDERSCORE.sub(r"\\_", text)
    if text.count("~") > 1:
        text = text.replace("~", "\\~")
    text = re.sub(r"[\[\]]", r"\\\g<0>", text) if in_label else _BRACKET.sub(r"\\]", text)
    text = re.sub(r"!$", r"\\!", text)
    text = _TAG_START.sub("&lt;", _ENTITY.sub("&amp;", text))
    if in_table:
        return text.replace("|", "\\|")
    return _NUMBERED.sub(r"\1\\", _LINE_START.sub(r"\1\\", text))


def entities(text: str) -> str:
    """Text for Slack's own format, in which three characters have a meaning."""
    return quiet(visible(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
