"""Requests to a server: to the origins that the operator wrote, at addresses they may have, and not read without end.

A name is looked up once for each request, and the connection goes to the very address that was judged: a name that
has another address a moment later (DNS rebinding) gains nothing by it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from ipaddress import ip_address
from typing import Final

import httpx2

from athenaeum.domain.address import is_inside, is_public
from athenaeum.tools.mcp.settings import is_literally_inside

LARGEST: Final = 4 * 1024 * 1024
"""Bytes of one response."""
_FAREWELL = 2.0
"""Seconds for ending a session: it is a courtesy, and the process waits for it."""


class Forbidden(httpx2.ConnectError):
    """The request would go where the operator has not named anything; the message says where."""


class TooLarge(httpx2.StreamError):
    """The response is longer than anybody will read."""


class ServerTransport(httpx2.AsyncBaseTransport):
    """The transport of a client that speaks to one server, and to the authorization server that goes with it."""

    def __init__(self, urls: Iterable[str], *, is_private: bool) -> None:
        """`urls` are those of the operator's file, whose origins alone are spoken to."""
        self._origins = {_origin(httpx2.URL(url)): is_private or is_literally_inside(url) for url in urls}
        self._inner = httpx2.AsyncHTTPTransport()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request to the first of the host's addresses that takes it.

        Raises:
            Forbidden: Nothing was sent.
        """
        addresses = await self._judged(request.url)
        for place, address in enumerate(addresses, 1):
            try:
                response = await self._inner.handle_async_request(_led_to(address, request))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if place == len(addresses):
                    raise
            else:
                return await _bounded(request, response)
        raise httpx2.ConnectError(f"{request.url.host} has no address")

    async def _judged(self, url: httpx2.URL) -> list[str]:
        is_private = self._origins.get(_origin(url))
        if is_private is None:
            raise Forbidden(f"it leads to {url.scheme}://{url.netloc.decode()}, which your file does not name")
        if _is_address(url.host):
            return [url.host]
        try:
            addresses = await _resolve(url.host, _origin(url)[2])
        except OSError as error:
            raise httpx2.ConnectError(f"{url.host} is not known: {error.strerror or error}") from error
        for address in addresses:
            if not (is_public(address) or (is_private and is_inside(address))):
                raise Forbidden(f"{url.host} leads to {address}, which is not a public address")
        return addresses


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for piece in self._stream:
            read += len(piece)
            if read > LARGEST:
                raise TooLarge(f"it answered with more than {LARGEST // 1024 // 1024} MB")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _led_to(address: str, request: httpx2.Request) -> httpx2.Request:
    """The request for this address: what it says of its host, also to TLS, stays as it was."""
    extensions = dict(request.extensions)
    if not _is_address(request.url.host):
        extensions["sni_hostname"] = request.url.host
    if request.method == "DELETE":
        extensions["timeout"] = httpx2.Timeout(_FAREWELL).as_dict()
    # small answers need no compression, and what is unpacked could be of any size
    headers = httpx2.Headers(request.headers)
    headers["accept-encoding"] = "identity"
    url = request.url.copy_with(host=address)
    return httpx2.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)


async def _bounded(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    if response.headers.get("content-encoding", "identity") != "identity":
        await response.aclose()
        raise httpx2.RemoteProtocolError("it answers in a compression that it was not asked for", request=request)
    # The stream of a GET tells of what changes, for days: each of its events has a bound, which the client keeps.
    lasting = request.method == "GET" and response.headers.get("content-type", "").startswith("text/event-stream")
    stream = response.stream if lasting else _Bounded(response.stream)
    return httpx2.Response(
        response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
    )


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
