"""Pictures as a model is shown them: small, upright, and without what a camera wrote into them."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

from athenaeum.documents.formats.outline import Unreadable

MEDIA: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What is read; what a file is in truth is seen from its content."""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_LONGEST = 1568
"""Pixels of the longer side: models scale down what is larger, and bill some 1,600 tokens at most
(https://docs.claude.com/en/docs/build-with-claude/vision)."""
_QUALITY = 85


def read(data: bytes) -> bytes:
    """A picture as JPEG, on white where it is transparent; of one that moves, the first frame.

    Raises:
        Unreadable: It is damaged, too large, or of another format.
    """
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            picture.draft("RGB", (_LONGEST, _LONGEST))
            seen = ImageOps.exif_transpose(picture).convert("RGBA")
    except Image.DecompressionBombError:
        raise Unreadable("it has more pixels than are read") from None
    except (OSError, ValueError, SyntaxError, LookupError, ArithmeticError) as error:
        raise Unreadable(f"it cannot be read as a picture ({type(error).__name__})") from error
    seen.thumbnail((_LONGEST, _LONGEST))
    shown = Image.new("RGB", seen.size, "white")
    shown.paste(seen, mask=seen.getchannel("A"))
    jpeg = BytesIO()
    shown.save(jpeg, "JPEG", quality=_QUALITY)
    return jpeg.getvalue()
