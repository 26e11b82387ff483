"""Reading a document of whom nobody vouched, in a process of its own that can do little and may die.

What parsers unpack can be a thousand times as large as what came, and a page of a few bytes can be work for hours
(CWE-409, CWE-400). So a process reads it that has bounded memory and time, writes no file, and knows none of our
settings; what it finds comes back as JSON.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from pydantic import Base64Bytes, TypeAdapter

from athenaeum.documents.formats import media, picture
from athenaeum.documents.formats.outline import Outline, Section, Unreadable

_MEMORY: Final = 1024**3
"""Bytes of address space; the parsers themselves take some 200 MB of it."""
_SECONDS: Final = 15
"""Of computing; a manual of a thousand pages takes some ten."""
_PATIENCE: Final = 45
"""Seconds in all, on a machine that has other work."""
_CHARACTERS: Final = 2_000_000
"""Of text that is passed on."""
_EXHAUSTED = "reading it takes too much memory or time"
_PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class _Report:
    """What the process found, or why it found nothing."""

    outline: Outline | None = None
    picture: Base64Bytes | None = None
    reason: str = ""


_REPORT = TypeAdapter(_Report)


async def read(content: bytes, media_type: str) -> Outline:
    """Read a document.

    Raises:
        Unreadable: It is damaged, of a format that is not known, or takes more than it may.
    """
    report = await _told(content, media_type)
    if report.outline is None:
        raise Unreadable(report.reason)
    return report.outline


async def see(content: bytes) -> bytes:
    """A picture as JPEG, small enough for a model.

    Raises:
        Unreadable: As by `read`.
    """
    report = await _told(content, _PICTURE)
    if report.picture is None:
        raise Unreadable(report.reason)
    return report.picture


async def _told(content: bytes, task: str) -> _Report:
    reader = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", __spec__.name, task),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            told, _ = await reader.communicate(content)
    except TimeoutError:
        raise Unreadable(_EXHAUSTED) from None
    finally:
        if reader.returncode is None:
            with suppress(ProcessLookupError):
                reader.kill()
            await reader.wait()
    if reader.returncode != 0:
        raise Unreadable(_EXHAUSTED)
    return _REPORT.validate_json(told)


def _confine() -> None:
    for bound, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS knows RLIMIT_AS and refuses it
            resource.setrlimit(bound, (most, most))


def _report(content: bytes, task: str) -> _Report:
    try:
        if task == _PICTURE:
            return _Report(picture=picture.read(content))
        return _Report(_beginning(media.read(content, task)))
    except Unreadable as error:
        return _Report(reason=str(error))


def _beginning(outline: Outline) -> Outline:
    """As much of it as is passed on, in whole blocks but for the last."""
    room = _CHARACTERS
    sections: list[Section] = []
    for section in outline.sections:
        begun = Section(section.path, section.anchor)
        sections.append(begun)
        for block in section.blocks:
            begun.blocks.append(replace(block, text=block.text[:room]))
            room -= len(block.text)
            if room <= 0:
                return Outline(outline.title, sections)
    return Outline(outline.title, sections)


def _main() -> None:
    _confine()
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as told:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # parsers may print
        told.write(_REPORT.dump_json(_report(sys.stdin.buffer.read(), sys.argv[1])))


if __name__ == "__main__":
    _main()
