"""The parts of one simulated workspace, put together."""

from __future__ import annotations

from slacksim.calls import CallLog
from slacksim.deliveries import Timing
from slacksim.faults import Faults
from slacksim.limits import Limits
from slacksim.outbox import Outbox
from slacksim.response_urls import ResponseUrls
from slacksim.socket_mode import SocketMode
from slacksim.stream import Stream
from slacksim.unfurl import Unfurler
from slacksim.webhook import Webhook
from slacksim.world import World


class Simulation:
    """A workspace with all that surrounds it.

    Args:
        world: The workspace as it is in the beginning; ``reset`` goes back to this.
        timing: How patient deliveries are.
    """

    def __init__(self, world: World, timing: Timing) -> None:
        self.url = ""
        self.world = world
        self.timing = timing
        self.faults = Faults()
        self.limits = Limits()
        self.calls = CallLog()
        self.response_urls = ResponseUrls(world)
        self.unfurler = Unfurler(world)
        self.sockets = SocketMode(world, timing)
        self.webhook = Webhook(world, timing)
        self.outbox = Outbox(world, self.sockets, self.webhook)
        self.stream = Stream(world)
        self._beginning = world.snapshot()

    def reset(self) -> None:
        """Everything as in the beginning; connections stay open, the events URL stays set."""
        events_url = self.world.app.events_url
        self.outbox.forget()
        self.world.restore(self._beginning)
        self.world.app.events_url = events_url
        self.sockets.enabled = True
        self.faults.clear()
        self.limits.configure(enabled=False)
        self.calls.clear()
        self.response_urls.forget()
        self.unfurler.forget()
        self.stream.reset()
