"""Numbered questions, and the one right answer to each."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from slacksim.deliveries import Delivery
from slacksim.model import Message
from support.anthropic_server import Request, Says

_NUMBER = re.compile(r"Question (\d+)")
_LOOK_SECONDS = 0.02


def answer_by_number(request: Request) -> Says:
    """The model's part: the answer names the question, and needs no tool."""
    last = request.body["messages"][-1]["content"]
    question = next(block["text"] for block in reversed(last) if block["type"] == "text")
    found = _NUMBER.search(question)
    return Says(answer_to(int(found.group(1))) if found else "What was the question?")


def answer_to(number: int) -> str:
    """The one right answer."""
    return f"This is answer {number}."


@dataclass(frozen=True, slots=True)
class Asked:
    """A numbered question, as a message and a mention on their way to the product, and whether its answer was shown."""

    number: int
    message: Message
    deliveries: tuple[Delivery, ...]
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def thread(self) -> tuple[str, str]:
        """The channel, and the message that the thread hangs on."""
        return self.message.channel, self.message.thread_ts or self.message.ts

    async def taken(self) -> None:
        """Wait until Slack was told that it is safe: what is asked then comes after it."""
        while not any(delivery.acked for delivery in self.deliveries):  # noqa: ASYNC110 - Slack announces no such thing
            await asyncio.sleep(_LOOK_SECONDS)
