"""The simulator as a server on 127.0.0.1."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiohttp import web

from slacksim import site
from slacksim.control import Control, guard
from slacksim.deliveries import Timing
from slacksim.inspection import Inspection
from slacksim.modals import Modals
from slacksim.simulation import Simulation
from slacksim.storage import Storage
from slacksim.web_api import WebApi
from slacksim.world import World

HOST = "127.0.0.1"
MAX_BODY_BYTES = 4 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0


class SlackSim:
    """A local Slack workspace: ``async with SlackSim(world) as sim: AsyncWebClient(base_url=sim.api_url)``.

    Args:
        world: The workspace; a reset goes back to it as it is now.
        others: Further workspaces that the same app may be installed in.
        port: The port, 0 for a free one.
        timing: How patient deliveries are; Slack's own patience by default.
    """

    def __init__(
        self, world: World, *, port: int = 0, timing: Timing | None = None, others: Sequence[World] = ()
    ) -> None:
        self.world = world
        self.simulation = Simulation(world, timing or Timing(), others)
        self._port = port
        self._stack: AsyncExitStack | None = None

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return self.simulation.url

    @property
    def api_url(self) -> str:
        """The ``base_url`` of slack-sdk's clients."""
        return f"{self.url}/api/"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.simulation.webhook)
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.push_async_callback(self.simulation.sockets.aclose)
            stack.callback(self.simulation.stream.close)
            site_ = web.TCPSite(runner, HOST, self._port)
            await site_.start()
            self.simulation.url = f"http://{HOST}:{runner.addresses[0][1]}"
            for each in self.simulation.worlds:
                each.url = self.simulation.url
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops the server; may be called twice."""
        if self._stack is not None:
            stack, self._stack = self._stack, None
            await stack.aclose()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[guard], client_max_size=MAX_BODY_BYTES)
        api = WebApi(self.simulation)
        application.add_routes(
            [
                web.route("GET", "/api/{method}", api.handle),
                web.route("POST", "/api/{method}", api.handle),
                web.get("/oauth/v2/authorize", self.simulation.oauth.show),
                web.post("/oauth/v2/authorize", self.simulation.oauth.decide),
                web.post("/actions/{key}", self.simulation.response_urls.handle),
                web.get("/link/", self.simulation.sockets.serve),
                *Control(self.simulation).routes(),
                *Inspection(self.simulation).routes(),
                *Modals(self.simulation).routes(),
                *Storage(self.simulation).routes(),
                *site.routes(),
            ]
        )
        return application
