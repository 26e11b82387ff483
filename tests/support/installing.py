"""A product that serves whichever workspaces install it, and browsers that install it there."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text

from athenaeum.config import Config
from athenaeum.domain.identity import TenantId
from athenaeum.domain.tenant import Tenant
from athenaeum.tenants import register
from athenaeum.wiring.process import Role, Running, open_process
from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.model import Message
from slacksim.people import Person
from slacksim.server import SlackSim
from slacksim.world import World
from support.product import ENGINE, until
from support.stage import said

KEY = base64.b64encode(bytes(range(32))).decode()


def company(name: str, **team: Any) -> World:
    """A workspace with two people and a channel."""
    return scenario.build(
        {
            "team": {"name": name, "domain": name.lower(), **team},
            "app": {"name": "athenaeum", **({"user_id": "W0ATHENAEUM"} if team.get("enterprise") else {})},
            "users": [{"name": "maya"}, {"name": "tom"}],
            "channels": [
                {
                    "name": "platform",
                    "members": ["maya", "tom", "athenaeum"],
                    "messages": [{"user": "tom", "text": f"The {name} deploy is at noon.", "ago": 3600}],
                },
            ],
        }
    )


def workspaces(*worlds: World) -> SlackSim:
    return SlackSim(worlds[0], others=worlds[1:], timing=Timing(ack_seconds=3, retry_delays=(0.1,) * 20))


def settings(sim: SlackSim, database_url: str | None, home: Path, **given: Any) -> Config:
    """Of a product that is connected by installations alone; its events come over HTTP unless told otherwise."""
    oauth = sim.simulation.oauth
    chosen = {
        "database_url": database_url,
        "home": home,
        "port": 0,
        "embedder": "none",
        "model": "offline",
        "slack_signing_secret": sim.world.app.signing_secret,
        "slack_client_id": oauth.client_id,
        "slack_client_secret": oauth.client_secret,
        "secret_key": KEY,
        "slack_api_url": sim.api_url,
    }
    return Config(**{**chosen, **ENGINE, **given})


@dataclass(slots=True)
class Browser:
    """Keeps cookies, follows no redirect by itself."""

    address: str
    client: httpx2.AsyncClient
    cookies: dict[str, str] = field(default_factory=dict[str, str])

    async def get(self, url: str) -> httpx2.Response:
        sent = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        answer = await self.client.get(url, headers=sent)
        for header in answer.headers.get_list("set-cookie"):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        return answer

    async def authorize_url(self) -> str:
        """Where the button of the first page leads."""
        page = await self.get(f"{self.address}/slack/install")
        assert page.status_code == 200
        [link] = re.findall(r'class="deed" href="([^"]+)"', page.text)
        return link.replace("&amp;", "&")

    async def allow(self, url: str, place: str) -> str:
        """Decide on Slack's page; the address that the browser is sent back to."""
        state = dict(httpx2.URL(url).params)["state"]
        answer = await self.client.post(url, data={"state": state, "place": place})
        assert answer.status_code == 302
        return answer.headers["location"]

    async def install(self, place: str) -> httpx2.Response:
        """All of it: the last page."""
        return await self.get(await self.allow(await self.authorize_url(), place))


@dataclass(frozen=True, slots=True)
class Hub:
    """A product at work for several workspaces."""

    sim: SlackSim
    running: Running
    browser: Browser

    async def install(self, world: World) -> Tenant:
        """Have the app installed in a workspace, and what was said there read."""
        answer = await self.browser.install(world.team.id)
        assert answer.status_code == 200, answer.text
        await self.rest()
        tenant = await register.resolve(self.running.database, world.team.id, world.team.enterprise)
        assert tenant is not None
        return tenant

    def ask(self, world: World, words: str = "When is the deploy?") -> Message:
        return Person.named(world, "maya").say("platform", f"<@{world.app.user_id}> {words}")

    def replies(self, world: World, asked: Message) -> list[str]:
        channel = world.channels[asked.channel]
        thread = [channel.messages[ts] for ts in channel.threads.get(asked.ts, [])]
        return [said(message) for message in thread if message.bot_id == world.app.bot_id]

    async def answer(self, world: World, asked: Message) -> str:
        await self.rest()
        [reply] = self.replies(world, asked)
        return reply

    async def rest(self) -> None:
        """Wait until every event was delivered and the queue is empty."""

        async def idle() -> bool:
            sent = self.sim.simulation.outbox.deliveries
            return all(one.acked or one.given_up for one in sent) and not await self.rows("SELECT 1 FROM queued_events")

        await until(idle, seconds=60)

    async def rows(self, statement: str, tenant: TenantId | None = None) -> list[tuple[Any, ...]]:

        async with self.running.database.session(tenant) as session:
            return [tuple(row) for row in await session.execute(text(statement))]


@asynccontextmanager
async def hub(sim: SlackSim, config: Config, roles: Sequence[Role] = tuple(Role)) -> AsyncGenerator[Hub]:
    """The product, its events' address and its redirect address told to Slack."""
    async with open_process(config, set(roles)) as running, httpx2.AsyncClient() as client:
        sim.simulation.oauth.redirect_url = f"{running.address}/slack/oauth_redirect"
        if config.slack_app_token is None:
            sim.world.app.events_url = f"{running.address}/slack/events"
        yield Hub(sim, running, Browser(running.address, client))
