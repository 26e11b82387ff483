"""People who ask, and what they have seen: the oracle's eyes are in the workspace, outside of the product."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter

from slacksim.changes import Change, Edited, Posted
from slacksim.people import Person
from slacksim.server import SlackSim
from support.asked import Asked, answer_to
from support.verdict import said

COMPANY = {
    "users": [{"name": "maya"}, {"name": "tom"}, {"name": "ines"}],
    "channels": [{"name": name, "members": ["*"]} for name in ("platform", "billing", "support", "random")],
}
_PEOPLE = ("maya", "tom", "ines")
_CHANNELS = ("platform", "billing", "support", "random")
_THREAD = 7
"""Every so many questions a thread is left for a new one."""


class Crowd:
    """Asks numbered questions, in threads that go on, and keeps what was shown when."""

    def __init__(self, sim: SlackSim) -> None:
        self.asked: list[Asked] = []
        self.shown: list[str] = []
        """Every final text, in the order in which it came to be seen; again when it was shown again."""
        self.posts: Counter[tuple[str, str]] = Counter()
        """How many messages of the bot came up in each thread, the withdrawn ones too."""
        self._sim = sim
        self._by_answer: dict[str, Asked] = {}
        sim.world.listen(self._see)

    def ask(self, *, thread: Asked | None = None) -> Asked:
        """Ask the next question: in a thread, or in a new one."""
        number = len(self.asked)
        channel = thread.message.channel if thread else _CHANNELS[number % len(_CHANNELS)]
        person = Person.named(self._sim.world, _PEOPLE[number % len(_PEOPLE)])
        text = f"<@{self._sim.world.app.user_id}> Question {number}"
        message = person.say(channel, text, thread_ts=thread.thread[1] if thread else None)
        newest = itertools.islice(reversed(self._sim.simulation.outbox.deliveries), 2)
        asked = Asked(number, message, tuple(newest))
        self.asked.append(asked)
        self._by_answer[answer_to(number)] = asked
        return asked

    async def converse(self, questions: int, *, threads: int, pace: float = 0) -> None:
        """Ask so many questions, so many people at once, each `pace` seconds after the last one was answered.

        Every third question is asked as soon as the one before it is safe, so that it waits behind it.
        """
        left = iter(range(questions))

        async def talk() -> None:
            thread: Asked | None = None
            for number in left:
                asked = self.ask(thread=thread)
                thread = None if number % _THREAD == 0 else thread or asked
                await (asked.taken() if number % 3 == 0 else asked.answered.wait())
                await asyncio.sleep(pace)

        async with asyncio.TaskGroup() as group:
            for _ in range(threads):
                group.create_task(talk())

    def chat(self, messages: int) -> None:
        """Say so much among each other, which nobody has to answer."""
        for number in range(messages):
            person = Person.named(self._sim.world, _PEOPLE[number % len(_PEOPLE)])
            person.say(_CHANNELS[number % len(_CHANNELS)], f"The release of service {number} went out at noon today.")

    @property
    def answered(self) -> int:
        """How many questions have their answer."""
        return len(self.asked) - len(self.waiting())

    def waiting(self) -> list[int]:
        """The questions that nobody has answered yet."""
        return [asked.number for asked in self.asked if not asked.answered.is_set()]

    def _see(self, change: Change) -> None:
        if not isinstance(change, Posted | Edited) or change.message.bot_id != self._sim.world.app.bot_id:
            return
        message = change.message
        if isinstance(change, Posted):
            self.posts[message.channel, message.thread_ts or message.ts] += 1
        asked = self._by_answer.get(text := said(message))
        if asked is not None:
            self.shown.append(text)
            asked.answered.set()
