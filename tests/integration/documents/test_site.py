from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from athenaeum.documents.library import Library
from athenaeum.documents.site import visitor
from athenaeum.errors import Misconfigured
from athenaeum.retrieval.index import Index
from support.index import TERMINAL


class Server:
    """A site on 127.0.0.1: pages by path as (content type, body), redirects, and what was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, str]] = {}
        self.redirects: dict[str, str] = {}
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self.url = ""

    def page(self, path: str, body: str, media: str = "text/html") -> None:
        self.pages[path] = media, body.replace("BASE", self.url)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path in self.broken:
            return web.Response(status=500)
        if location := self.redirects.get(request.path):
            return web.Response(status=302, headers={"Location": location})
        if request.path not in self.pages:
            return web.Response(status=404)
        media, body = self.pages[request.path]
        return web.Response(text=body, content_type=media)


@pytest.fixture
async def site() -> AsyncGenerator[Server]:
    site = Server()
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        site.url = str(server.make_url("")).rstrip("/")
        yield site


@pytest.fixture
def guide(site: Server) -> Server:
    site.page(
        "/guide/", '<h1>Guide</h1><p>Start.</p><a href="install">i</a> <a href="../blog/">b</a> <a href="/x.png">x</a>'
    )
    site.page(
        "/guide/install", '<h1>Install</h1><h2 id="linux">Linux</h2><p>Use the penguin.</p><a href="./#top">up</a>'
    )
    site.page("/blog/", "<h1>Blog</h1><p>canary</p>")
    return site


async def test_links_below_the_first_page_are_followed(library: Library, index: Index, guide: Server) -> None:
    report = await library.add(f"{guide.url}/guide/")
    assert (report.added, report.skipped) == (2, [])
    found = (await index.search("penguin linux", audience=TERMINAL))[0]
    assert (found.title, found.heading, found.url) == ("Install", "Linux", f"{guide.url}/guide/install#linux")
    assert "/blog/" not in guide.asked


async def test_a_sitemap_lists_the_pages(library: Library, guide: Server) -> None:
    guide.page("/sitemap.xml", "<sitemapindex><loc>BASE/one.xml</loc></sitemapindex>", "application/xml")
    guide.page(
        "/one.xml", "<urlset><loc>BASE/guide/only</loc><loc>https://elsewhere.example/</loc></urlset>", "text/xml"
    )
    guide.page("/guide/only", "<h1>Only</h1><p>Listed.</p>")
    await library.add(f"{guide.url}/guide/")
    assert "/guide/only" in guide.asked
    assert "/guide/install" not in guide.asked


async def test_llms_txt_lists_the_pages(library: Library, index: Index, guide: Server) -> None:
    guide.page("/llms.txt", "# Site\n\n- [Only](BASE/guide/only.md): one\n", "text/plain")
    guide.page("/guide/only.md", "# Only\n\nA **quokka**.\n", "text/markdown")
    await library.add(f"{guide.url}/guide/")
    assert (await index.search("quokka", audience=TERMINAL))[0].text == "A **quokka**."


async def test_robots_txt_is_obeyed(library: Library, guide: Server) -> None:
    guide.page("/robots.txt", "User-agent: *\nDisallow: /guide/install\n", "text/plain")
    report = await library.add(f"{guide.url}/guide/")
    assert [skipped.reason for skipped in report.skipped] == ["forbidden by robots.txt"]
    assert "/guide/install" not in guide.asked


async def test_a_site_that_forbids_everything_is_refused(library: Library, guide: Server) -> None:
    guide.page("/robots.txt", "User-agent: *\nDisallow: /\n", "text/plain")
    with pytest.raises(Misconfigured, match=r"robots\.txt"):
        await library.add(f"{guide.url}/guide/")


async def test_an_unchanged_site_is_fetched_but_not_read_again(library: Library, guide: Server) -> None:
    await library.add(f"{guide.url}/guide/")
    report = await library.add(f"{guide.url}/guide/")
    assert (report.unchanged, report.changed, report.new_passages) == (2, 0, 0)


async def test_a_page_that_is_gone_is_taken_out_and_one_that_fails_is_kept(
    library: Library, index: Index, guide: Server
) -> None:
    await library.add(f"{guide.url}/guide/")
    guide.broken.add("/guide/install")
    report = await library.add(f"{guide.url}/guide/")
    assert [skipped.reason for skipped in report.skipped] == ["the server answered 500"]
    assert (await index.search("penguin", audience=TERMINAL))[0].text == "Use the penguin.\n\nup"
    guide.broken.clear()
    del guide.pages["/guide/install"]
    assert (await library.add(f"{guide.url}/guide/")).removed == 1


async def test_a_redirect_to_another_private_address_is_not_followed(library: Library, guide: Server) -> None:
    guide.redirects["/guide/install"] = "http://127.0.0.2:1/secret"
    report = await library.add(f"{guide.url}/guide/")
    assert "not a public address" in report.skipped[0].reason


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://169.254.169.254/latest/"])
async def test_a_redirect_out_of_the_web_is_refused(library: Library, site: Server, target: str) -> None:
    site.redirects["/"] = target
    with pytest.raises(Misconfigured, match="cannot be read"):
        await library.add(f"{site.url}/")


async def test_a_redirect_loop_ends(library: Library, site: Server) -> None:
    site.redirects["/"] = "/"
    with pytest.raises(Misconfigured, match="too often"):
        await library.add(f"{site.url}/")


async def test_what_is_no_document_is_skipped(library: Library, guide: Server) -> None:
    guide.page("/guide/install", "binary", "application/octet-stream")
    report = await library.add(f"{guide.url}/guide/")
    assert "not a format" in report.skipped[0].reason


async def test_a_page_larger_than_allowed_is_skipped(
    library: Library, guide: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "LARGEST", 1000)
    guide.page("/guide/install", "<p>" + "word " * 1000)
    report = await library.add(f"{guide.url}/guide/")
    assert "larger than" in report.skipped[0].reason


async def test_an_unreachable_host_is_refused_in_one_line(library: Library) -> None:
    with pytest.raises(Misconfigured, match="cannot be reached") as refused:
        await library.add("http://127.0.0.1:9/")
    assert "\n" not in str(refused.value)
    assert await library.list() == []
