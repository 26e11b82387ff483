"""A worker of the product with one tool more, which changes something: the product itself has none yet.

Its notes go into the table `notes` of the worker's own database, so that a test sees each of them from outside.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import psycopg
from pydantic_ai import RunContext

from athenaeum.agent import runner
from athenaeum.commands import serving
from athenaeum.tools.grant import Grant
from athenaeum.tools.guard import GuardedToolset
from athenaeum.tools.toolset import build_toolset

DONE = "The note is posted."
TABLE = "CREATE TABLE notes (board text, text text); GRANT INSERT ON notes TO PUBLIC"


def with_notes(post: Callable[[str, str], Awaitable[None]]) -> GuardedToolset:
    """The product's tools, and one that posts notes."""

    async def post_note(_ctx: RunContext[Grant], board: str, text: str) -> str:
        """Post a note on a board.

        Args:
            board: Which board.
            text: What the note says.
        """
        await post(board, text)
        return DONE

    toolset = build_toolset()
    toolset.add_function(
        post_note, requires_approval=True, metadata={"label": "Posting the note…", "asks": "Post a note"}
    )
    return toolset


def run() -> None:
    """Be a worker, with the settings of the environment."""
    runner.build_toolset = lambda: with_notes(_insert)
    serving.worker()


async def _insert(board: str, text: str) -> None:
    async with await psycopg.AsyncConnection[object].connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        await connection.execute("INSERT INTO notes VALUES (%s, %s)", (board, text))
