"""Every tool of the agent, with the words that people see while it runs."""

from __future__ import annotations

from datetime import timedelta

from athenaeum.tools.guard import GuardedToolset
from athenaeum.tools.period import in_digests, read_period
from athenaeum.tools.search import search_documents, search_messages

_PATIENCE = timedelta(seconds=20)  # a search takes some 20 ms; beyond this the database is in trouble


def build_toolset() -> GuardedToolset:
    """The tools, each under the guard."""
    toolset = GuardedToolset(id="tools", timeout=_PATIENCE)
    toolset.add_function(search_documents, metadata={"label": "Searching documents…"})
    toolset.add_function(search_messages, metadata={"label": "Searching messages…"})
    toolset.add_function(read_period, prepare=in_digests, metadata={"label": "Reading what was said…"})
    return toolset
