"""Text documents of Word (.docx), by way of HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from athenaeum.documents.formats import html, package

if TYPE_CHECKING:
    from athenaeum.documents.formats.outline import Outline

_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"


def read(data: bytes) -> Outline:
    """Sections by the styles of headings. Tracked insertions are in the text, deletions are not; nor are pictures."""
    import mammoth  # noqa: PLC0415 - 0.1 s, for what few processes read

    archive = package.opened(data)
    converted: Any = mammoth.convert_to_html(  # pyright: ignore[reportUnknownMemberType] - it has no types
        archive, style_map=_STYLES, include_embedded_style_map=False, convert_image=_left_out
    )
    return html.read(str(converted.value))


def _left_out(_: object) -> list[object]:
    return []
