"""The documents of a folder, or a single file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

from athenaeum.documents.formats.media import LARGEST, media_type
from athenaeum.documents.formats.outline import Unreadable
from athenaeum.documents.leaf import Leaf, Listing, Skipped
from athenaeum.errors import Misconfigured

_PASSED_OVER = frozenset({"node_modules", "bower_components", "site-packages", "__pycache__", "venv"})


class Folder:
    """A folder with its subfolders, hidden ones and installed packages left out.

    `base_url` is the address under which the folder is published; None when people cannot open its files.
    """

    def __init__(self, root: Path, *, base_url: str | None = None) -> None:
        """`root` may also be a file, of any name that holds text."""
        self._root = root
        self._base_url = base_url

    async def leaves(self) -> AsyncGenerator[Listing]:
        """Its documents, by name.

        Raises:
            Misconfigured: There is nothing to read.
        """
        try:
            found = await asyncio.to_thread(lambda: list(self._list()))
        except OSError as error:
            raise Misconfigured(f"{self._root} cannot be read: {error.strerror}") from error
        if not found:
            raise Misconfigured(f"{self._root} has no documents: Markdown, reStructuredText, HTML, text or PDF files")
        for leaf in found:
            yield Listing(leaf, len(found))

    def _list(self) -> Iterator[Leaf | Skipped]:
        if self._root.is_file():
            yield self._leaf(self._root, self._root.name, media_type(self._root.name) or "text/plain")
            return
        for path in _files(self._root):
            if (media := media_type(path.name)) is not None:
                yield self._leaf(path, path.relative_to(self._root).as_posix(), media)

    def _leaf(self, path: Path, name: str, media: str) -> Leaf | Skipped:
        name = name.encode(errors="replace").decode()
        try:
            status = path.stat()
        except OSError as error:
            return Skipped(name, error.strerror or "unreadable")
        url = f"{self._base_url.rstrip('/')}/{quote(name)}" if self._base_url else None
        return Leaf(name, media, f"{status.st_size}:{status.st_mtime_ns}", url, partial(_load, path))


async def _load(path: Path) -> bytes:
    return await asyncio.to_thread(_read, path)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"larger than {LARGEST // 1024 // 1024} MB")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or "unreadable") from error


def _files(folder: Path) -> Iterator[Path]:
    """All files below, by name. No link is followed out of the folder or into another one."""
    root = folder.resolve()
    for parent, folders, files in os.walk(root, onerror=_fail_at(root)):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _PASSED_OVER)
        for name in sorted(files):
            path = Path(parent, name)
            if not name.startswith(".") and (not path.is_symlink() or path.resolve().is_relative_to(root)):
                yield path


def _fail_at(root: Path) -> Callable[[OSError], None]:
    def fail(error: OSError) -> None:
        if error.filename == str(root):  # an unreadable subfolder is passed over
            raise error

    return fail
