"""Git repositories: fetched into the cache, and where their files are shown on the web."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from athenaeum.errors import Misconfigured

_HOSTS = {"github.com": "blob", "gitlab.com": "-/blob", "codeberg.org": "src/commit", "bitbucket.org": "src"}
_SSH = re.compile(r"^(?:ssh://)?git@(?P<host>[\w.-]+)[:/](?P<path>[\w./~-]+?)(?:\.git)?/?$")
_PATIENCE = 600  # seconds; a large repository over a slow line


def is_repository(location: str) -> bool:
    """Whether a location that is no path names a repository to be cloned."""
    address = urlsplit(location)
    if _SSH.match(location) or address.scheme == "file":
        return True
    if address.scheme not in {"http", "https"}:
        return False
    parts = [part for part in address.path.split("/") if part]
    return address.path.endswith(".git") or (address.hostname in _HOSTS and len(parts) == 2)


async def checkout(location: str, cache_dir: Path) -> Path:
    """The newest commit of a repository, cloned at first and fetched afterwards; only what changed is written.

    Raises:
        Misconfigured: It cannot be fetched; the message is git's own.
    """
    if urlsplit(location).password:
        raise Misconfigured("leave the password out of the address: git's credential helper keeps it")
    folder = cache_dir / "git" / hashlib.blake2b(location.encode(), digest_size=12).hexdigest()
    if (folder / ".git").is_dir():
        await _git("-C", str(folder), "fetch", "--depth=1", "origin", "HEAD", location=location)
        await _git("-C", str(folder), "reset", "--hard", "FETCH_HEAD", location=location)
    else:
        await asyncio.to_thread(folder.parent.mkdir, parents=True, exist_ok=True)
        await _git("clone", "--depth=1", "--single-branch", "--", location, str(folder), location=location)
    return folder


async def web_address(folder: Path) -> str | None:
    """Where the files of a checkout are shown at its commit; None when its remote is no known host."""
    try:
        top = await _git("-C", str(folder), "rev-parse", "--show-toplevel", location=str(folder))
        remote = await _git("-C", str(folder), "remote", "get-url", "origin", location=str(folder))
        commit = await _git("-C", str(folder), "rev-parse", "HEAD", location=str(folder))
    except Misconfigured:
        return None
    if (repository := _on_the_web(remote)) is None:
        return None
    host = urlsplit(repository).hostname or ""
    below = (await asyncio.to_thread(folder.resolve)).relative_to(top).as_posix()
    path = "" if below == "." else f"/{quote(below)}"
    return f"{repository}/{_HOSTS[host]}/{commit}{path}"


def _on_the_web(remote: str) -> str | None:
    """The repository's page, without any name or password that its remote has."""
    if ssh := _SSH.match(remote):
        host, path = ssh["host"], ssh["path"]
    else:
        address = urlsplit(remote)
        host, path = address.hostname or "", address.path
    return f"https://{host}/{path.strip('/').removesuffix('.git')}" if host in _HOSTS else None


async def _git(*arguments: str, location: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            *("-c", "protocol.ext.allow=never", "-c", "core.hooksPath=/dev/null", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # no terminal, so that git fails where it would ask for a password
        )
    except FileNotFoundError:
        raise Misconfigured("git is not installed: install it, or add a folder instead") from None
    try:
        async with asyncio.timeout(_PATIENCE):
            output, errors = await process.communicate()
    except (TimeoutError, asyncio.CancelledError) as error:
        process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise Misconfigured(f"{location} was not fetched within {_PATIENCE} s: try again") from None
        raise
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines() or ["git failed"]
        said = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
        raise Misconfigured(f"{location} cannot be fetched: {said}")
    return output.decode().strip()
