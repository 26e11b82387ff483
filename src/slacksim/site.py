"""The page for people: static files, never cached, and permalinks that open it."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

ROOT = Path(__file__).parent / "page"
NO_STORE = {"Cache-Control": "no-store"}


async def index(_: web.Request) -> web.StreamResponse:
    return _file(ROOT / "index.html")


async def static(request: web.Request) -> web.StreamResponse:
    path = (ROOT / request.match_info["path"]).resolve()
    if not path.is_relative_to(ROOT):
        raise web.HTTPNotFound
    return _file(path)


def _file(path: Path) -> web.StreamResponse:
    if not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers=NO_STORE)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", index),
        web.get("/page/{path:.+}", static),
        web.get(r"/archives/{channel:\w+}/{message:p\d+}", index),
        web.get(r"/archives/{channel:\w+}", index),
    ]
