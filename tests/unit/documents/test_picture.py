from __future__ import annotations

from io import BytesIO
from struct import pack
from zlib import compress, crc32

import pytest
from PIL import Image

from athenaeum.documents import sandbox
from athenaeum.documents.formats import picture
from athenaeum.documents.formats.outline import Unreadable
from support.photograph import photograph


def seen(content: bytes) -> Image.Image:
    shown = Image.open(BytesIO(picture.read(content)))
    assert shown.format == "JPEG"
    return shown.convert("RGB")


def nearly(shown: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """A pixel, but for what JPEG loses."""
    pixel = shown.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return tuple(round(value / 255) for value in pixel)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_each_kind_of_picture_is_seen(kind: str) -> None:
    assert nearly(seen(photograph("red", (40, 30), kind)), 20, 15) == (1, 0, 0)


def test_a_large_picture_is_made_small_and_keeps_its_shape() -> None:
    assert seen(photograph("blue", (3136, 784))).size == (1568, 392)


def test_a_photograph_stands_upright_and_does_not_tell_where_it_was_taken() -> None:
    taken = Image.new("RGB", (40, 20), "red")
    taken.paste("blue", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right
    exif[0x010F] = "a camera in Lisbon"
    file = BytesIO()
    taken.save(file, "JPEG", exif=exif, quality=95)
    shown = seen(file.getvalue())
    assert shown.size == (20, 40)
    assert (nearly(shown, 10, 5), nearly(shown, 10, 35)) == ((0, 0, 1), (1, 0, 0))
    assert b"Lisbon" in file.getvalue()
    assert b"Lisbon" not in picture.read(file.getvalue())


def test_what_is_transparent_is_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(file, "PNG")
    assert nearly(seen(file.getvalue()), 5, 5) == (1, 1, 1)


def test_of_one_that_moves_the_first_frame_is_seen() -> None:
    file = BytesIO()
    frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert nearly(seen(file.getvalue()), 5, 5) == (1, 0, 0)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n\x00", b"<svg/>", photograph("red", (99, 99))[:60]],
    ids=["nothing", "no more than a mark", "drawing", "half"],
)
def test_of_what_is_no_picture_it_is_said(content: bytes) -> None:
    with pytest.raises(Unreadable, match="cannot be read as a picture"):
        picture.read(content)


async def test_a_picture_is_read_by_a_process_of_its_own() -> None:
    shown = await sandbox.see(photograph("red", (40, 30)))
    assert Image.open(BytesIO(shown)).size == (40, 30)
    with pytest.raises(Unreadable, match="cannot be read as a picture"):
        await sandbox.see(b"not a picture")


async def test_one_that_unpacks_to_too_much_is_given_up() -> None:
    rows = compress(bytes((1 + 12_000 * 3) * 12_000), 1)
    with pytest.raises(Unreadable, match="takes too much"):
        await sandbox.see(_png(12_000, rows))


def test_one_that_says_to_be_larger_still_is_not_unpacked() -> None:
    with pytest.raises(Unreadable, match="more pixels than are read"):
        picture.read(_png(30_000, b""))


def _png(side: int, rows: bytes) -> bytes:
    """A square with deflated rows of three bytes a pixel."""
    chunks = ((b"IHDR", pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + name + data + pack(">I", crc32(name + data)) for name, data in chunks
    )
