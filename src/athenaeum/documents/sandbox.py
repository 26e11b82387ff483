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

from pydantic import TypeAdapter

from athenaeum.documents.formats import media
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


@dataclass(frozen=True, slots=True)
class _Report:
    """What the process found, or why it found nothing."""

    outline: Outline | None = None
    reason: str = ""


_REPORT = TypeAdapter(_Report)


async def read(content: bytes, media_type: str) -> Outline:
    """Read a document.

    Raises:
        Unreadable: It is damaged, of a format that is not known, or takes more than it may.
    """
    reader = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", __spec__.name, media_type),
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
    report = _REPORT.validate_json(told)
    if report.outline is None:
        raise Unreadable(report.reason)
    return report.outline


def _confine() -> None:
    for bound, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS knows RLIMIT_AS and refuses it
            resource.setrlimit(bound, (most, most))


def _report(content: bytes, media_type: str) -> _Report:
    try:
        return _Report(_beginning(media.read(content, media_type)))
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
