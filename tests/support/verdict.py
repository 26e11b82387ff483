"""What is wrong at the end, by the workspace, by the tables, and by what was asked of whom.

The oracle of one question has its trial to compare with; that of a crowd knows the answer to each number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from slacksim.model import Message
from slacksim.world import World
from support.asked import Asked, answer_to
from support.life import Life
from support.trials import Trial

Rows = Sequence[dict[str, Any]]


def said(message: Message) -> str:
    """What a reader sees first of a message."""
    return next((str(block["text"]) for block in message.blocks if block["type"] == "markdown"), message.text)


def shown(world: World) -> list[Message]:
    """Every message of the bot, anywhere in the workspace, the oldest first."""
    messages = [message for channel in world.channels.values() for message in channel.messages.values()]
    return sorted(
        (message for message in messages if message.bot_id == world.app.bot_id), key=lambda message: message.ts
    )


def in_workspace(trial: Trial, world: World, asked: Message) -> Iterator[str]:
    """One answer, all of it, in its thread and nowhere else; no placeholder."""
    messages = shown(world)
    texts = [said(message) for message in messages]
    if len(texts) != len(trial.says) or not all(map(str.startswith, texts, trial.says)):
        yield f"shown are {[text[:60] for text in texts]}, not {trial.says}"
    for message, text in zip(messages, texts, strict=True):
        if "Thinking" in text:
            yield f"{text!r} is left standing"
        if (message.channel, message.thread_ts) != (asked.channel, asked.ts):
            yield f"{text!r} stands elsewhere"
        if world.is_live(message):
            yield f"{text!r} still grows"


def in_posting(trial: Trial, calls: Rows, *, frozen: int) -> Iterator[str]:
    """No message twice, not even for a moment; only a worker that woke too late may have one to withdraw."""
    posted = [
        str(call["arguments"].get("text")) for call in calls if call["error"] is None and call["fault"] != "drop_before"
    ]
    if not len(trial.says) <= len(posted) <= len(trial.says) + frozen:
        yield f"posted were {[text[:60] for text in posted]}"


def in_crowd(world: World, asked: Sequence[Asked]) -> Iterator[str]:
    """In each thread the answers to its questions, in their order, each once; nothing else anywhere."""
    expected: dict[tuple[str, str], list[str]] = defaultdict(list)
    for question in asked:
        expected[question.thread].append(answer_to(question.number))
    standing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for message in shown(world):
        standing[message.channel, message.thread_ts or message.ts].append(said(message))
    for thread in expected.keys() | standing.keys():
        if standing[thread] != expected[thread]:
            yield f"{thread}: shown are {[text[:40] for text in standing[thread]]}, not {expected[thread]}"


def on_books(world: World, asked: Sequence[Asked], *, turns: Rows, deliveries: Rows, failed: Rows) -> Iterator[str]:
    """A turn for each question and no other, all delivered; a row for each message that is shown; nothing failed."""
    states = Counter(turn["state"] for turn in turns)
    if states != Counter(delivered=len(asked)):
        yield f"{len(asked)} questions became turns that are {dict(states)}"
    recorded = {(row["channel_id"], row["ts"]) for row in deliveries}
    standing = {(message.channel, message.ts) for message in shown(world)}
    if recorded != standing:
        yield f"deliveries and workspace differ by {list(recorded ^ standing)[:5]}"
    if failed:
        yield f"{len(failed)} events failed, such as {failed[:3]}"


def on_record(trial: Trial, world: World, *, turns: Rows, events: Rows, deliveries: Rows) -> Iterator[str]:
    """One turn and one event, ended as they should; every message that is shown, and no other, in `deliveries`."""
    states = [(turn["state"], event["status"]) for turn, event in zip(turns, events, strict=False)]
    if (len(turns), len(events)) != (1, 1) or states != [trial.states]:
        yield f"{len(turns)} turns and {len(events)} events ended as {states}, not {trial.states}"
    recorded, standing = {row["ts"] for row in deliveries}, {message.ts for message in shown(world)}
    if recorded != standing:
        yield f"deliveries name {recorded}, shown are {standing}"


def in_cost(trial: Trial, lives: Sequence[Life], steps: Counter[str], *, offers: int) -> Iterator[str]:
    """A step on record is never made again; the one under way when its process was stopped may be.

    Each of the `offers` of what the asker alone may read has searched once more.
    """
    for kind, needed, further in (("model", trial.requests, 0), ("tool", trial.tools, offers)):
        begun = [life.boundaries.begun[kind] for life in lives]
        missing = [needed + further - life.known[kind] for life in lives]
        if any(map(int.__gt__, begun, missing)) or sum(begun) > needed + further + len(lives) - 1:
            yield f"{kind}: begun {begun}, where {missing} were missing"
        if trial.states[0] == "delivered" and steps[kind] != needed:
            yield f"{kind}: {steps[kind]} on record, not {needed}"


def in_money(lives: Sequence[Life], spending: Rows, *, billed: int, steps: Counter[str]) -> Iterator[str]:
    """Nothing is billed that is not on the books; what a step cost is settled with it, and nothing else."""
    settled = [row for row in spending if row["settled_at"] is not None]
    paid, made = len(settled), max(billed, steps["model"])  # the offline model bills nobody
    unsent = sum(life.boundaries.reached.is_set() for life in lives)
    if not billed <= len(spending) <= made + unsent:
        yield f"{billed} requests were billed, {len(spending)} are on the books"
    if not steps["model"] <= paid <= made:
        yield f"{paid} requests are settled, of {steps['model']} steps on record"
    if any(row["dollars"] is None for row in spending) or any(not row["dollars"] for row in spending if billed):
        yield f"some requests have no price: {spending}"
