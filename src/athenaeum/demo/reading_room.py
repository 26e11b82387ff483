"""A page for each of the demo's documents, so that a source opens where its words stand."""

from __future__ import annotations

import html
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin

from athenaeum.errors import Misconfigured

if TYPE_CHECKING:
    from types import TracebackType

_STYLE = """
:root { color-scheme: light dark; --ink: #22201c; --paper: #fbf9f4; --line: #ddd6c8; --accent: #7a3e1d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e9e4da; --paper: #1b1a17; --line: #3a362f; --accent: #e0a177; } }
body { margin: 0 auto; max-width: 44rem; padding: 2.5rem 1.25rem 6rem; background: var(--paper); color: var(--ink);
  font: 17px/1.6 Charter, "Iowan Old Style", Georgia, serif; }
h1, h2, h3 { line-height: 1.25; scroll-margin-top: 1rem; }
:target { background: color-mix(in srgb, var(--accent) 18%, transparent); border-radius: 4px; }
a { color: var(--accent); }
code, pre { font: 0.86em/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { padding: 0.9rem 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: 0.92em; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.6rem; border-bottom: 1px solid var(--line); }
"""
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>{style}</style><main data-testid="document">{body}</main></html>"""


def documents() -> Path:
    """The project's own documentation: beside the sources, or packaged with the wheel."""
    packaged = Path(__file__).parent / "docs"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "docs"


class ReadingRoom:
    """Serves a folder of Markdown on 127.0.0.1, each heading with an anchor; may be closed twice."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        """`port` 0 takes a free one."""
        self._folder = folder.resolve()
        self._port = port
        self._stack = AsyncExitStack()
        self._markdown = MarkdownIt("gfm-like", {"linkify": False, "html": False}).use(anchors_plugin, max_level=4)
        self.url = ""

    async def __aenter__(self) -> Self:
        """Start serving; `url` ends with a slash."""
        app = web.Application()
        app.router.add_get("/{path:.+}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
        except OSError as error:
            await self.close()
            raise Misconfigured(f"port {self._port} is taken: choose another with --port") from error
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        await self.close()

    async def close(self) -> None:
        """Stop serving; harmless when repeated."""
        await self._stack.aclose()

    async def _serve(self, request: web.Request) -> web.Response:
        path = (self._folder / request.match_info["path"]).resolve()
        if not path.is_relative_to(self._folder) or path.suffix != ".md" or not path.is_file():
            raise web.HTTPNotFound(text="There is no such document.")
        text = path.read_text(encoding="utf-8")
        title = next((line.lstrip("# ") for line in text.splitlines() if line.startswith("# ")), path.stem)
        body = self._markdown.render(text)
        page = _PAGE.format(title=html.escape(title), style=_STYLE, body=body)
        return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": _POLICY})


_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
