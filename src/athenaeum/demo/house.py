"""Everything at once: workspace, reading room, and the same process that serves a real workspace."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from athenaeum.config import Config
from athenaeum.database.models import SlackMessage
from athenaeum.demo.fresh_start import forget_conversations
from athenaeum.demo.instance import occupied
from athenaeum.demo.reading_room import ReadingRoom, documents
from athenaeum.errors import Misconfigured
from athenaeum.wiring.database import open_database
from athenaeum.wiring.library import open_index, open_library
from athenaeum.wiring.process import Role, open_process
from slacksim import scenario
from slacksim.server import SlackSim

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from athenaeum.documents.library import OnProgress
    from athenaeum.domain.identity import TenantId
    from athenaeum.wiring.process import Running
    from slacksim.world import World

PORT = 8010
"""Where the demo's page is unless told otherwise; its documents are one port further."""
_LOOK_AGAIN = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class House:
    """A running demo; `url` is its page."""

    url: str
    running: Running
    config: Config
    room: ReadingRoom

    async def stock(self, on_progress: OnProgress | None = None) -> None:
        """Add the demo's documents to the library and wait for its messages; quick when they are there."""
        tenant = await self.running.workspace.tenant()
        library = open_library(self.config, self.running.database, self.running.index, tenant.id)
        await library.add(str(documents()), base_url=self.room.url, on_progress=on_progress)
        await self.running.workspace.synced.wait()
        while await self._unindexed(tenant.id):  # noqa: ASYNC110 - another process may be indexing
            await asyncio.sleep(_LOOK_AGAIN)

    async def _unindexed(self, tenant: TenantId) -> bool:
        waiting = select(SlackMessage.ts).where(SlackMessage.indexed_at.is_(None)).limit(1)
        async with self.running.database.session(tenant) as session:
            return await session.scalar(waiting) is not None


def company() -> World:
    """Northlight: seven people, a guest and two months of conversation."""
    return scenario.load(Path(__file__).parent / "company.yaml")


def home_of(config: Config) -> Path:
    """Where the demo keeps its data: apart from a real installation's."""
    return config.home_dir / "demo"


@asynccontextmanager
async def open_house(config: Config, *, port: int | None) -> AsyncGenerator[House]:
    """Run the demo until the block ends.

    Args:
        config: model, keys and database are taken from it; Slack is the local workspace.
        port: the page's; None takes the usual one, or any free one where that is taken.

    Raises:
        Misconfigured: the port is taken, or a setting cannot work.
    """
    async with AsyncExitStack() as stack:
        sim, room = await _open_rooms(stack, port)
        stack.enter_context(occupied(home_of(config), sim.url))
        app = sim.world.app
        inside = Config(
            home=home_of(config),
            host="127.0.0.1",
            port=0,
            slack_api_url=sim.api_url,
            slack_bot_token=app.bot_token,
            slack_app_token=app.app_token,
        )
        async with open_database(inside) as database:
            await forget_conversations(database, open_index(inside, database), team_id=sim.world.team.id)
            running = await stack.enter_async_context(open_process(inside, list(Role)))
        yield House(sim.url, running, inside, room)


async def _open_rooms(stack: AsyncExitStack, port: int | None) -> tuple[SlackSim, ReadingRoom]:
    wanted = PORT if port is None else port
    for page, library in ((wanted, wanted + 1 if wanted else 0), (0, 0)):
        try:
            async with AsyncExitStack() as attempt:
                sim = await attempt.enter_async_context(SlackSim(company(), port=page))
                room = await attempt.enter_async_context(ReadingRoom(documents(), port=library))
                stack.push_async_exit(attempt.pop_all())
        except (OSError, Misconfigured) as error:
            if port is not None:
                raise Misconfigured(
                    f"port {wanted} or {wanted + 1} is taken: choose another with --port, or 0 for any"
                ) from error
            continue
        return sim, room
    raise Misconfigured("no free port on 127.0.0.1")
