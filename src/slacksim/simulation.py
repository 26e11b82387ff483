"""The parts of one simulated workspace, put together."""

from __future__ import annotations

from collections.abc import Sequence

from slacksim import events
from slacksim.calls import CallLog
from slacksim.commands import Commands
from slacksim.deliveries import Timing
from slacksim.faults import Faults
from slacksim.homes import Homes
from slacksim.limits import Limits
from slacksim.oauth import OAuth
from slacksim.outbox import Outbox
from slacksim.response_urls import ResponseUrls
from slacksim.socket_mode import SocketMode
from slacksim.stream import Stream
from slacksim.unfurl import Unfurler
from slacksim.views import Views
from slacksim.webhook import Webhook
from slacksim.world import World


class Simulation:
    """A workspace with all that surrounds it.

    Args:
        world: The workspace as it is in the beginning; ``reset`` goes back to this.
        timing: How patient deliveries are.
        others: Further workspaces that the same app may be installed in. The page shows the first one only; events of
            all go the same way.
    """

    def __init__(self, world: World, timing: Timing, others: Sequence[World] = ()) -> None:
        self.url = ""
        self.world = world
        self.worlds = (world, *others)
        self.oauth = OAuth(self.worlds)
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
        self.views = Views(lambda user, view: self.stream.tell(user, "view", {"view": view}))
        self.homes = Homes(lambda user, view: self.stream.tell(user, "home", {"view": view}))
        self.commands = Commands(self.outbox, self.response_urls, self.views, timing)
        for other in others:
            other.app.is_revoked = True  # until it is installed there
            self.outbox.follow(other)
        self._beginnings = [one.snapshot() for one in self.worlds]

    def world_of(self, reference: str) -> World:
        """The workspace where a user or channel of this id is; the first one for names."""
        known = (one for one in self.worlds if reference in one.users or reference in one.channels)
        return next(known, self.world)

    def uninstall(self, world: World) -> None:
        """The app is taken out of a workspace: its tokens end, and it is told so."""
        for event in ({"type": "tokens_revoked", "tokens": {"bot": [world.app.user_id]}}, {"type": "app_uninstalled"}):
            self.outbox.send(events.callback(event, world))
        self.oauth.withdraw(world)

    def reset(self) -> None:
        """Everything as in the beginning; connections stay open, the events URL stays set."""
        events_url = self.world.app.events_url
        self.outbox.forget()
        for one, beginning in zip(self.worlds, self._beginnings, strict=True):
            one.restore(beginning)
        self.oauth.forget()
        self.world.app.events_url = events_url
        self.sockets.enabled = True
        self.faults.clear()
        self.limits.configure(enabled=False)
        self.calls.clear()
        self.response_urls.forget()
        self.views.forget()
        self.homes.forget()
        self.unfurler.forget()
        self.stream.reset()
