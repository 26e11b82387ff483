"""The files of an export, in a zip that is never unpacked or in a folder."""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from athenaeum.errors import Misconfigured

INDEXES = ("channels.json", "groups.json", "dms.json", "mpims.json")
"""The files that list conversations; where one of them is, or the people's, is the export's top."""
PEOPLE = ("users.json", "org_users.json")
_UTF8_NAME = 0x800  # the flag of a zip's entry


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file: its name below the export's top, its size in bytes, and a stamp that is another when it has changed."""

    name: str
    size: int
    stamp: str
    open: Callable[[], IO[bytes]]


@contextmanager
def open_export(path: Path) -> Generator[dict[str, ExportFile]]:
    """The files by their names, to be opened within the block.

    Raises:
        Misconfigured: there is no export at `path`.
    """
    if path.is_dir():
        yield _below_top(path, {_name(file.relative_to(path).as_posix()): _file(file) for file in _files(path)})
        return
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            yield _below_top(path, {_entry_name(entry): _entry(archive, entry) for entry in entries})
    except FileNotFoundError:
        raise Misconfigured(f"{path} does not exist: give the zip that Slack's export made, or its folder") from None
    except (zipfile.BadZipFile, IsADirectoryError, PermissionError) as error:
        raise Misconfigured(f"{path} cannot be read as a zip: {error}") from error


def _below_top(path: Path, files: dict[str, ExportFile]) -> dict[str, ExportFile]:
    tops = [PurePosixPath(name).parent for name in files if PurePosixPath(name).name in {*INDEXES, *PEOPLE}]
    tops = [top for top in tops if "__MACOSX" not in top.parts]
    if not tops:
        raise Misconfigured(f"{path} is no Slack export: it has none of {', '.join((*INDEXES, PEOPLE[0]))}")
    top = min(tops, key=lambda place: len(place.parts))
    return {
        str(PurePosixPath(name).relative_to(top)): leaf
        for name, leaf in files.items()
        if PurePosixPath(name).is_relative_to(top)
    }


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.json") if path.is_file()]


def _file(path: Path) -> ExportFile:
    found = path.stat()
    return ExportFile(path.name, found.st_size, f"{found.st_mtime_ns}-{found.st_size}", lambda: path.open("rb"))


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> ExportFile:
    stamp = f"{entry.CRC:08x}-{entry.file_size}"
    return ExportFile(entry.filename, entry.file_size, stamp, lambda: archive.open(entry))


def _entry_name(entry: zipfile.ZipInfo) -> str:
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAME:  # some tools write UTF-8 and do not say so
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    return _name(name)


def _name(name: str) -> str:
    return unicodedata.normalize("NFC", name)  # macOS takes accents apart in the names of files
