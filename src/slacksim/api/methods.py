"""The table of all methods."""

from __future__ import annotations

from slacksim.api import agents, auth, chat, conversations, files, history, reactions, streams, team, users, views
from slacksim.api.call import Method

FAMILIES = (agents, auth, chat, conversations, files, history, reactions, streams, team, users, views)
METHODS: dict[str, Method] = {method.name: method for family in FAMILIES for method in family.METHODS}
