"""Which format a file is in, and its text."""

from __future__ import annotations

import csv
import zlib
from pathlib import PurePosixPath
from typing import Final
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile

import structlog
from charset_normalizer import from_bytes
from docutils import ApplicationError
from pypdf.errors import PyPdfError

from athenaeum.documents.formats import (
    html,
    markdown,
    pdf,
    plain,
    restructuredtext,
    separated,
    slides,
    word,
    workbook,
)
from athenaeum.documents.formats.outline import Outline, Unreadable

log = structlog.get_logger(__name__)

LARGEST: Final = 20 * 1024 * 1024
"""Bytes; a larger file is skipped."""

_OFFICE = "application/vnd.openxmlformats-officedocument"
_WORD, _WORKBOOK = f"{_OFFICE}.wordprocessingml.document", f"{_OFFICE}.spreadsheetml.sheet"
_SLIDES = f"{_OFFICE}.presentationml.presentation"
_SUFFIXES = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".mdx": "text/markdown",
    ".rst": "text/x-rst",
    ".rest": "text/x-rst",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".adoc": "text/plain",
    ".org": "text/plain",
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".pdf": "application/pdf",
    ".docx": _WORD,
    ".xlsx": _WORKBOOK,
    ".pptx": _SLIDES,
}
_TEXTS = {
    "text/markdown": markdown.read,
    "text/x-markdown": markdown.read,
    "text/x-rst": restructuredtext.read,
    "text/html": html.read,
    "application/xhtml+xml": html.read,
    "text/csv": separated.read,
    "text/plain": plain.read,
}
BINARIES = {"application/pdf": pdf.read, _WORD: word.read, _WORKBOOK: workbook.read, _SLIDES: slides.read}
"""How to read what is no text, by its media type."""
# parsers, pypdf above all, meet damaged input with whatever its use raises
_FAULTS = (
    PyPdfError,
    ApplicationError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    csv.Error,
    BadZipFile,
    ExpatError,
    SyntaxError,  # of XML
    OSError,  # what is in memory is no part of what its suffix says
    NotImplementedError,  # of zip
    zlib.error,
)
_BARE_NAMES = frozenset({"README", "CHANGELOG", "CONTRIBUTING", "INSTALL", "NEWS"})


def media_type(name: str) -> str | None:
    """By the file's name; None for what is not a document."""
    path = PurePosixPath(name)
    return _SUFFIXES.get(path.suffix.lower()) or ("text/plain" if path.name in _BARE_NAMES else None)


def read(data: bytes, media: str) -> Outline:
    """Read a document.

    Raises:
        Unreadable: It is too large, damaged, not text, or of a format that is not known.
    """
    if len(data) > LARGEST:
        raise Unreadable(f"larger than {LARGEST // 1024 // 1024} MB")
    try:
        outline = _parsed(data, media)
    except _FAULTS as error:
        log.info("documents.parser_failed", media=media, exc_info=True)
        raise Unreadable(f"cannot be read as {media} ({type(error).__name__})") from error
    if not outline.sections:
        raise Unreadable("empty")
    return outline


def _parsed(data: bytes, media: str) -> Outline:
    if data.startswith(b"%PDF-"):
        return pdf.read(data)
    if media in BINARIES:
        return BINARIES[media](data)
    if media not in _TEXTS:
        raise Unreadable(f"{media} is not a format of documents")
    return _TEXTS[media](decoded(data))


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, or what it looks like.

    Raises:
        Unreadable: It is not text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise Unreadable("not text: it has NUL bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        guess = from_bytes(data[:100_000]).best()
        if guess is None:
            raise Unreadable("not text in any encoding that is known") from None
        return data.decode(guess.encoding, errors="replace")
