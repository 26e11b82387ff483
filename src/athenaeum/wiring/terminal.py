"""A question from the terminal."""

from __future__ import annotations

import getpass
import time
from typing import TYPE_CHECKING

from athenaeum.conversations.turns import ASK, open_turn, wait_for
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs, UserId
from athenaeum.wiring.agent import open_agent
from athenaeum.wiring.database import open_database
from athenaeum.wiring.engine import open_engine
from athenaeum.wiring.library import open_index
from athenaeum.wiring.workspace import Workspace

if TYPE_CHECKING:
    from athenaeum.config import Config
    from athenaeum.domain.turn import Answer


async def ask_here(config: Config, question: str) -> Answer:
    """Put a question into the queue and wait for its answer; a worker here takes it if no other is quicker.

    Raises:
        Misconfigured: a setting is missing or cannot work.
        Refused: the turn ended without an answer.
    """
    async with open_database(config) as database, Workspace(config, database) as workspace:
        index = open_index(config, database)
        async with open_agent(config, database, index, workspace.clients) as agent:
            engine = open_engine(config, database=database, index=index, agent=agent, workspace=workspace, kinds=[ASK])
            ts = MessageTs(f"{time.time():.6f}")
            async with database.session(DEFAULT_TENANT) as session:
                turn = await open_turn(
                    session,
                    tenant=DEFAULT_TENANT,
                    surface=Surface.TERMINAL,
                    channel=ChannelId("terminal"),
                    message_ts=ts,
                    thread_ts=ts,
                    asker=UserId(getpass.getuser()),
                    question=question,
                )
            assert turn is not None
            async with engine.pool:
                return await wait_for(database, DEFAULT_TENANT, turn)
