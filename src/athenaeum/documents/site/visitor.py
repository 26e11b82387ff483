"""Fetching pages: what the operator named, nothing behind it, nothing too large, and nothing robots.txt forbids."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import httpx2

from athenaeum.documents.formats.media import LARGEST
from athenaeum.documents.formats.outline import Unreadable

AGENT: Final = "Athenaeum"
_REDIRECTS = 5
_TIMEOUT = httpx2.Timeout(20, connect=10)


@dataclass(frozen=True, slots=True)
class Visited:
    """A page as it came, at its last address."""

    url: str
    media: str
    content: bytes


class Gone(Unreadable):
    """The page is there no longer (404 or 410)."""


class Visitor:
    """Fetches pages of one host; an async context manager.

    The host that the operator named may be anywhere, also on a private network. A redirect may lead away from it to a
    public address only: a page on the internet must not make us read one behind the firewall.
    """

    def __init__(self, named: str) -> None:
        """`named` is the address that the operator gave."""
        self._named = _origin(named)
        self._robots = RobotFileParser()
        self._client = httpx2.AsyncClient(
            headers={"User-Agent": AGENT, "Accept": "text/html, text/markdown, text/plain, application/pdf;q=0.9"},
            timeout=_TIMEOUT,
        )

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._client.__aexit__(kind, error, trace)

    async def read_robots(self, site: str) -> None:
        """Learn what may be fetched; a site without robots.txt permits everything."""
        try:
            page = await self.fetch(urljoin(site, "/robots.txt"))
        except (Unreadable, httpx2.HTTPError):
            self._robots.parse([])
        else:
            self._robots.parse(page.content.decode(errors="replace").splitlines())

    def permitted(self, url: str) -> bool:
        """Whether robots.txt lets us fetch it."""
        return self._robots.can_fetch(AGENT, url)

    @property
    def sitemaps(self) -> list[str]:
        """Those that robots.txt names."""
        return self._robots.site_maps() or []

    async def fetch(self, url: str) -> Visited:
        """Fetch a page, following redirects.

        Raises:
            Gone: There is no such page.
            Unreadable: It cannot be fetched; the message says why.
            httpx2.HTTPError: The host does not answer.
        """
        for _ in range(_REDIRECTS):
            await self._require_permission(url)
            async with self._client.stream("GET", url) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers.get("location", ""))
                    continue
                if response.status_code in {404, 410}:
                    raise Gone(f"not found ({response.status_code})")
                if not response.is_success:
                    raise Unreadable(f"the server answered {response.status_code}")
                media = response.headers.get("content-type", "text/html").split(";")[0].strip().lower()
                return Visited(url, media, await _content(response))
        raise Unreadable("redirected too often")

    async def _require_permission(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise Unreadable(f"{address.scheme or 'this'} is not http or https")
        if _origin(url) != self._named and not await _is_public(address.hostname):
            raise Unreadable(f"redirected to {address.hostname}, which is not a public address")


async def _content(response: httpx2.Response) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > LARGEST:
            raise Unreadable(f"larger than {LARGEST // 1024 // 1024} MB")
    return bytes(content)


def _origin(url: str) -> tuple[str, int]:
    address = urlsplit(url)
    return address.hostname or "", address.port or (443 if address.scheme == "https" else 80)


async def _is_public(host: str) -> bool:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(entry[4][0]).is_global for entry in found)
