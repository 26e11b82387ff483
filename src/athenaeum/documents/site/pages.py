"""The pages of a site: those its sitemap and llms.txt list, else those its links lead to."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from html import unescape
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx2
from selectolax.lexbor import LexborHTMLParser

from athenaeum.documents.formats.media import decoded
from athenaeum.documents.formats.outline import Unreadable
from athenaeum.documents.leaf import Leaf, Listing, Skipped
from athenaeum.documents.site.visitor import Gone, Visited, Visitor
from athenaeum.errors import Misconfigured

MOST_PAGES: Final = 500
_SITEMAPS = 20
_LOCATION = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\]\s]+)", re.IGNORECASE)
_LINK = re.compile(r"\]\((https?://[^)\s]+|/[^)\s]*)\)")
_NOT_PAGES = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|ico|css|js|mjs|json|xml|zip|gz|tgz|woff2?|ttf|mp4|webm|mp3|exe|dmg|whl)$",
    re.IGNORECASE,
)


class Site:
    """All pages below an address, 500 at most."""

    def __init__(self, url: str) -> None:
        """`url` is its first page; pages beside or below it belong to the site."""
        self._url = urldefrag(url).url

    async def leaves(self) -> AsyncGenerator[Listing]:
        """Its pages, each fetched already; those robots.txt forbids are skipped.

        Raises:
            Misconfigured: The first page cannot be had; the message says why.
        """
        async with Visitor(self._url) as visitor:
            first = await self._first(visitor)
            await visitor.read_robots(first.url)
            if not visitor.permitted(first.url):
                raise Misconfigured(f"{self._url} may not be read: its robots.txt forbids it")
            crawl = _Crawl(visitor, _Extent(first.url))
            crawl.take(first)
            await crawl.read_lists()
            async for listing in crawl.run():
                yield listing

    async def _first(self, visitor: Visitor) -> Visited:
        try:
            return await visitor.fetch(self._url)
        except Unreadable as error:
            raise Misconfigured(f"{self._url} cannot be read: {error}") from error
        except httpx2.InvalidURL as error:
            raise Misconfigured(f"{self._url} is no address: {error}") from error
        except httpx2.HTTPError as error:
            raise Misconfigured(f"{self._url} cannot be reached: {error or type(error).__name__}") from error


class _Extent:
    """Which addresses belong to the site: the same host, in the folder of the first page or below."""

    def __init__(self, first: str) -> None:
        address = urlsplit(first)
        self._host = address.netloc
        last = address.path.rsplit("/", 1)[-1]
        # "/docs/" and "/docs" are folders; "/docs/index.html" is a page in one
        self._folder = address.path.rsplit("/", 1)[0] + "/" if "." in last else address.path.rstrip("/") + "/"

    def belongs(self, url: str) -> bool:
        address = urlsplit(url)
        return (
            address.scheme in {"http", "https"}
            and address.netloc == self._host
            and f"{address.path.rstrip('/')}/".startswith(self._folder)
            and not _NOT_PAGES.search(address.path)
        )


@dataclass(slots=True)
class _Crawl:
    visitor: Visitor
    extent: _Extent
    waiting: deque[str] = field(default_factory=deque[str])
    known: set[str] = field(default_factory=set[str])
    fetched: deque[Visited] = field(default_factory=deque[Visited])
    listed: bool = False

    def take(self, first: Visited) -> None:
        self.known.add(_plain(first.url))
        self.fetched.append(first)

    def want(self, urls: Iterable[str]) -> None:
        for url in map(_plain, urls):
            if url not in self.known and len(self.known) < MOST_PAGES and self.extent.belongs(url):
                self.known.add(url)
                self.waiting.append(url)

    async def read_lists(self) -> None:
        """Take the pages of sitemap.xml and llms.txt; with either, links are not followed."""
        start = self.fetched[0].url
        maps = deque([*self.visitor.sitemaps, urljoin(start, "/sitemap.xml"), urljoin(start, "sitemap.xml")])
        for _ in range(_SITEMAPS):
            if not maps:
                break
            text = await self._list(maps.popleft())
            found = [unescape(location) for location in _LOCATION.findall(text)]
            maps += [url for url in found if urlsplit(url).path.endswith(".xml")]
            self.want(found)
        for name in ("llms.txt", "/llms.txt"):
            url = urljoin(start, name)
            self.want(urljoin(url, link) for link in _LINK.findall(await self._list(url)))
        self.listed = bool(self.waiting)

    async def _list(self, url: str) -> str:
        if urlsplit(url).netloc != urlsplit(self.fetched[0].url).netloc:
            return ""
        try:
            page = await self.visitor.fetch(url)
            return "" if page.media == "text/html" else decoded(page.content)
        except (Unreadable, httpx2.HTTPError):
            return ""

    async def run(self) -> AsyncGenerator[Listing]:
        while self.fetched or self.waiting:
            if self.fetched:
                page = self.fetched.popleft()
                if not self.listed and page.media in {"text/html", "application/xhtml+xml"}:
                    self.want(_links(page))
                yield Listing(_leaf(page), len(self.known))
            elif (skipped := await self._next(self.waiting.popleft())) is not None:
                yield Listing(skipped, len(self.known))

    async def _next(self, url: str) -> Skipped | None:
        if not self.visitor.permitted(url):
            return Skipped(url, "forbidden by robots.txt")
        try:
            page = await self.visitor.fetch(url)
        except Gone as error:
            return Skipped(url, str(error), gone=True)
        except Unreadable as error:
            return Skipped(url, str(error))
        except httpx2.HTTPError as error:
            return Skipped(url, f"no answer ({type(error).__name__})")
        arrived = _plain(page.url)
        if arrived != url and (arrived in self.known or not self.extent.belongs(arrived)):
            return None  # redirected to another page of ours, or out of the site
        self.known.add(arrived)
        self.fetched.append(page)
        return None


def _leaf(page: Visited) -> Leaf:
    async def load() -> bytes:
        return page.content

    return Leaf(_plain(page.url), page.media, None, _plain(page.url), load)


def _links(page: Visited) -> list[str]:
    try:
        document = LexborHTMLParser(decoded(page.content))
    except Unreadable:
        return []
    hrefs = (link.attributes.get("href") for link in document.css("a[href]"))
    return [joined for href in hrefs if href and (joined := _joined(page.url, href))]


def _joined(base: str, href: str) -> str | None:
    try:
        return urljoin(base, href)
    except ValueError:
        return None


def _plain(url: str) -> str:
    """Without fragment and query: the same page under one name."""
    return urlsplit(url)._replace(query="", fragment="").geturl()
