"""Pictures as people share them."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def photograph(colour: str = "red", size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """A file of one colour."""
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()
