"""A tool that changes something: it posts a note, and the board keeps every one that was ever posted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pydantic_ai import RunContext

from athenaeum.tools.grant import Grant
from athenaeum.tools.guard import GuardedToolset
from athenaeum.tools.toolset import build_toolset
from support.anthropic_server import Call, Reply, Request, Says, search_then_answer

TOOL = "post_note"
NOTE = {"board": "kitchen", "text": "The freeze is on Friday."}
DONE = "The note is posted."


@dataclass(slots=True)
class Board:
    """The world outside; `meanwhile` happens after a note is up and before its poster hears of it."""

    notes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    before: Callable[[], Awaitable[None]] | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None

    def toolset(self) -> GuardedToolset:
        """The product's tools, and the one that posts here."""

        async def post_note(ctx: RunContext[Grant], board: str, text: str) -> str:
            """Post a note on a board.

            Args:
                board: Which board.
                text: What the note says.
            """
            if self.before is not None:
                await self.before()
            self.notes.append((board, text))
            if self.meanwhile is not None:
                await self.meanwhile()
            return DONE

        toolset = build_toolset()
        toolset.add_function(
            post_note, requires_approval=True, metadata={"label": "Posting the note…", "asks": "Post a note"}
        )
        return toolset


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
