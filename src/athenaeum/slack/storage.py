"""The bytes of files: fetched from Slack's own host with the token, and brought to the address that Slack gave."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from athenaeum.slack.errors import SlackFailure, ambiguous, failure, rate_limited

if TYPE_CHECKING:
    from athenaeum.slack.errors import RateLimited

DOWNLOAD, UPLOAD = "files:download", "files:upload"
"""Stand for these requests where errors and metrics name a method."""

_SLACK = "slack.com"
_FILES = "files.slack.com"
_PATIENCE = aiohttp.ClientTimeout(total=60, sock_connect=5, sock_read=15)
_PIECE = 64 * 1024


def holds_files(url: str, base_url: str) -> bool:
    """Whether the token may go to this address: Slack's host of files, or that of a Web API that is not Slack's."""
    api = urlsplit(base_url)
    try:
        address = urlsplit(url)
        place = address.scheme, address.hostname, address.port
    except ValueError:
        return False
    if api.hostname is not None and (api.hostname == _SLACK or api.hostname.endswith(f".{_SLACK}")):
        return place == ("https", _FILES, None)
    return place == (api.scheme, api.hostname, api.port)


async def fetch(session: aiohttp.ClientSession, url: str, token: str, *, limit: int) -> bytes:
    """The content of a file of at most `limit` bytes.

    No redirect is followed: it would lead to the page for signing in, or the token to somebody else.

    Raises:
        SlackFailure: as calls do; `file_too_large` and `file_not_found` among them.
    """
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with session.get(url, headers=headers, allow_redirects=False, timeout=_PATIENCE) as response:
            if response.status != 200:
                raise _refusal(response)
            content = bytearray()
            async for piece in response.content.iter_chunked(_PIECE):
                content += piece
                if len(content) > limit:
                    raise failure(DOWNLOAD, "file_too_large")
            return bytes(content)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ambiguous(DOWNLOAD, "no_answer", detail=type(error).__name__) from error


async def bring(session: aiohttp.ClientSession, url: str, content: bytes) -> None:
    """Upload to the address that `files.getUploadURLExternal` gave: knowing it is the right to."""
    try:
        async with session.post(url, data=content, allow_redirects=False, timeout=_PATIENCE) as response:
            if response.status != 200:
                raise ambiguous(UPLOAD, "no_answer", detail=f"HTTP {response.status}")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ambiguous(UPLOAD, "no_answer", detail=type(error).__name__) from error


def _refusal(response: aiohttp.ClientResponse) -> SlackFailure:
    if response.status == 429:
        return _limited(response.headers.get("Retry-After", ""))
    if response.status >= 500:
        return ambiguous(DOWNLOAD, "no_answer", detail=f"HTTP {response.status}")
    if response.status in {404, 410}:
        return failure(DOWNLOAD, "file_not_found")
    return failure(DOWNLOAD, "missing_scope", detail="needs files:read")


def _limited(after: str) -> RateLimited:
    return rate_limited(DOWNLOAD, timedelta(seconds=int(after) if after.isdigit() else 1))
