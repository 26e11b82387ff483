from __future__ import annotations

import zlib

import pytest

from athenaeum.documents import sandbox
from athenaeum.documents.formats.outline import Unreadable


async def test_a_document_is_read_by_a_process_of_its_own() -> None:
    outline = await sandbox.read(b"# Holidays\n\nThirty days a year.", "text/markdown")
    assert outline.title == "Holidays"
    assert [block.text for section in outline.sections for block in section.blocks] == ["Thirty days a year."]


async def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(Unreadable, match="NUL"):
        await sandbox.read(b"PK\x03\x04\x00\x00", "text/plain")


async def test_a_document_that_unpacks_to_too_much_is_given_up() -> None:
    with pytest.raises(Unreadable, match=r"cannot be read|takes too much"):
        await sandbox.read(_bomb(), "application/pdf")


def _bomb() -> bytes:
    """A page of 256 MB in a quarter of one: zeros, deflated."""
    packer = zlib.compressobj(9)
    page = b"".join([*(packer.compress(bytes(2**20)) for _ in range(256)), packer.flush()])
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(page), page),
    )
    body = b"%PDF-1.4\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % one for one in enumerate(objects, 1))
    return body + b"trailer << /Size 5 /Root 1 0 R >>\n%%EOF"
