"""A tool that changes something: it posts a note, and the board keeps every one that was ever posted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from athenaeum.tools.guard import GuardedToolset
from support.anthropic_server import Call, Reply, Request, Says, search_then_answer
from support.note_worker import with_notes

TOOL = "post_note"
NOTE = {"board": "kitchen", "text": "The freeze is on Friday."}


@dataclass(slots=True)
class Board:
    """The world outside; `meanwhile` happens after a note is up and before its poster hears of it."""

    notes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    before: Callable[[], Awaitable[None]] | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None

    def toolset(self) -> GuardedToolset:
        """The product's tools, and the one that posts here."""
        return with_notes(self._post)

    async def _post(self, board: str, text: str) -> None:
        if self.before is not None:
            await self.before()
        self.notes.append((board, text))
        if self.meanwhile is not None:
            await self.meanwhile()


def search_post_answer(request: Request) -> Reply:
    """A search, then a note, then a sentence that says how that went."""
    last = request.body["messages"][-1]["content"]
    results = [block for block in last if isinstance(block, dict) and block["type"] == "tool_result"]
    if not results:
        return Says("Let me look.", (Call("search_documents", {"query": "retry failed event"}),))
    asked = [
        block["name"]
        for message in request.body["messages"]
        if message["role"] == "assistant"
        for block in message["content"]
        if block["type"] == "tool_use"
    ]
    if TOOL not in asked and TOOL in [tool["name"] for tool in request.body["tools"]]:
        return Says("I will post it.", (Call(TOOL, NOTE),))
    if TOOL not in asked:
        return search_then_answer(request)
    content = results[0]["content"]
    return Says(f"I heard: {content if isinstance(content, str) else content[0]['text']}")
