"""Where changes become deliveries: by Socket Mode, or by HTTP when the app has a request URL."""

from __future__ import annotations

from collections import deque

from slacksim import events
from slacksim.changes import Change
from slacksim.deliveries import Delivery, EnvelopeType, Via
from slacksim.model import JsonObject
from slacksim.socket_mode import SocketMode
from slacksim.webhook import Webhook
from slacksim.world import World

KEPT = 20_000


class Outbox:
    """The newest deliveries to the app, oldest first."""

    def __init__(self, world: World, sockets: SocketMode, webhook: Webhook) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        self._world = world
        self._sockets = sockets
        self._webhook = webhook
        self.follow(world)

    def follow(self, world: World) -> None:
        """Sends what happens in a workspace; the first one's app says which way."""

        def tell(change: Change) -> None:
            if world.app.is_revoked:
                return
            for event in events.of(change, world.app):
                self.send(events.callback(event, world))

        world.listen(tell)

    def send(self, payload: JsonObject, *, kind: EnvelopeType = "events_api", via: Via | None = None) -> Delivery:
        """Sends a payload the way the app is set up, or another way when told."""
        chosen = via or ("http" if self._world.app.events_url else "socket")
        delivery = Delivery(kind, payload, chosen)
        self.deliveries.append(delivery)
        if chosen == "http":
            self._webhook.deliver(delivery)
        else:
            self._sockets.deliver(delivery)
        return delivery

    def payload(self, event_id: str) -> JsonObject | None:
        """The payload of an event that was sent before."""
        return next((sent.payload for sent in self.deliveries if sent.event_id == event_id), None)

    def forget(self) -> None:
        self.deliveries.clear()
        self._sockets.forget()
        self._webhook.forget()
