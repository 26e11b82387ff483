"""A person's Home tab as Slack's view of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from athenaeum.domain.price import in_dollars
from athenaeum.slack.formatting.quotation import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.domain.home import Allowance, Answered, Attended, Home

ERASE = "athenaeum_erase"
"""The `action_id` of the button that has a person's data deleted; it carries no value: the data is the clicker's."""

_QUESTION = 150
_READS = (
    "For an answer I use only what everyone who will read it may read: in a public channel the documents and the"
    " public channels; in a private one also what was said there; in our direct message all that you may read. Where"
    " guests or another organisation read along, that channel and open documents alone. A language model gets your"
    " question, and what was found for it."
)
_KEEPS = (
    "I keep your questions, my answers, what I read for them, and whether you called them helpful. Messages are kept as"
    " they stand in Slack: what you edit or delete there is edited or deleted here."
)
_WARNING = (
    "I forget your questions, my answers to you and all that I read or noted for them, and I delete those answers from"
    " Slack, in channels too. What you wrote yourself stays until you delete it in Slack. Nobody can undo this."
)


def render_home(home: Home) -> Mapping[str, Any]:
    """The view; words that a person wrote stand in it as plain text."""
    blocks: list[dict[str, Any]] = [_header(f"{shortened(home.name, 60)}, {shortened(home.role, 70)}")]
    blocks.append(_section("I am an AI. Mention me in a channel, write to me here, or use the slash command."))
    blocks += [_header("Your latest answers"), *(_answered(one, i) for i, one in enumerate(home.answered))]
    if not home.answered:
        blocks.append(_section("You have asked me nothing yet."))
    blocks += [_header("Limits"), _section("\n".join(_limits(home)))]
    blocks += [_header("Channels that I listen in"), _section("\n".join(map(_attended, home.attended)) or _MENTIONS)]
    blocks += [_header("Your privacy"), _section(_READS), _section(f"{_KEEPS} {_kept(home)}")]
    blocks.append({"type": "actions", "elements": [_erase()]})
    return {"type": "home", "blocks": blocks}


_MENTIONS = "In your channels I answer what mentions me."


def _answered(answered: Answered, number: int) -> dict[str, Any]:
    words = {"type": "plain_text", "text": shortened(answered.question, _QUESTION) or "…", "emoji": False}
    section: dict[str, Any] = {"type": "section", "text": words}
    if answered.url is not None:
        button = {"type": "button", "text": _plain("Open"), "action_id": f"athenaeum_open_{number}"}
        section["accessory"] = button | {"url": answered.url}
    return section


def _limits(home: Home) -> list[str]:
    told = [
        f"• {count} questions a minute {of}"
        for count, of in ((home.per_person, "of yours"), (home.per_channel, "in a channel"))
        if count is not None
    ]
    return [*told, *map(_allowance, home.allowances)] or ["Nobody has set me any."]


def _allowance(allowance: Allowance) -> str:
    left = in_dollars(max(allowance.dollars - allowance.spent, Decimal(0)))
    whole = in_dollars(allowance.dollars)
    return f"• {allowance.whose}: {left} of {whole} are left for language models today; the day begins at 00:00 UTC"


def _attended(attended: Attended) -> str:
    count = f"{attended.answered} of {attended.cap} such answers today"
    return f"• <#{attended.channel}>: mentions, and {_TAKEN[attended.mode]} ({count})"


_TAKEN: Mapping[str, str] = {
    "questions": "questions to nobody in particular",
    "all": "what is said to nobody in particular",
    "suggest": "suggestions that their reader alone sees",
}


def _kept(home: Home) -> str:
    if home.kept_since is None:
        return "Now I keep no question of yours."
    questions = "one question" if home.kept == 1 else f"{home.kept} questions"
    return f"Now I keep {questions} of yours, the first of {home.kept_since:%-d %B %Y}."


def _erase() -> dict[str, Any]:
    confirm = {
        "title": _plain("Delete my data?"),
        "text": _plain(_WARNING),
        "confirm": _plain("Delete"),
        "deny": _plain("Keep"),
        "style": "danger",
    }
    button = {"type": "button", "text": _plain("Delete my data"), "action_id": ERASE, "style": "danger"}
    return button | {"confirm": confirm}


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": _plain(text)}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
