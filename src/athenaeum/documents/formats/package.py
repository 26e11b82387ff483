"""Office Open XML: the zip archive that text documents, workbooks and slides are kept in (ECMA-376, part 2)."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from athenaeum.documents.formats.outline import Unreadable

_UNPACKED: Final = 200 * 1024 * 1024
"""Bytes of all parts but pictures; a workbook of 20 MB has some 150."""
_PARTS: Final = 10_000
_OLE = b"\xd0\xcf\x11\xe0"
"""How files begin that are encrypted, and those of Office before 2007."""


def opened(data: bytes) -> io.BytesIO:
    """The archive, ready for its reader, after a look at what it unpacks to (CWE-409).

    No reader gets more of a part than the archive says of it: a false length is an error of `zipfile`.

    Raises:
        Unreadable: It is locked, of an older format, or unpacks to too much.
    """
    if data.startswith(_OLE):
        raise Unreadable("the file is locked with a password, or of a format before 2007")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    if len(parts) > _PARTS or sum(part.file_size for part in parts if "/media/" not in part.filename) > _UNPACKED:
        raise Unreadable("the file unpacks to too much")
    return io.BytesIO(data)
