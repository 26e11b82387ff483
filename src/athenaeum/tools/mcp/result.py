"""What a call gave, as text: nothing else of it reaches a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from mcp_types import AudioContent, EmbeddedResource, ImageContent, ResourceLink, TextContent, TextResourceContents

from athenaeum.domain.passage import Origin
from athenaeum.llm import quoting
from athenaeum.tools.quarantine import visible

if TYPE_CHECKING:
    from mcp_types import CallToolResult, ContentBlock

    from athenaeum.tools.quarantine import Quarantine

LONGEST: Final = 20_000
"""Characters: some 5,000 tokens."""
_UNLABELLED = "This has no label to cite: say in your own words that {server} tells it."
_FAILED = "The tool says that it failed."
_CUT = " It is the beginning of {length} characters; the rest is not shown. Ask for less at once, if the tool lets you."
_NOTHING = "The tool gave nothing."


def told(result: CallToolResult, quarantine: Quarantine, *, server: str) -> str:
    """The result as a model reads it: what is the server's stands between delimiters, what is ours before them."""
    text = visible(_text(result)).strip()
    shown = quoting.cut(text, LONGEST)
    if not shown:
        return _NOTHING
    remark = _FAILED if result.is_error else _UNLABELLED.format(server=server)
    cut = _CUT.format(length=len(text)) if shown != text else ""
    return f"{remark}{cut}\n\n{quarantine.wrap(shown, origin=Origin.TOOL)}"


def _text(result: CallToolResult) -> str:
    parts = [_part(block) for block in result.content]
    if not any(parts) and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n\n".join(filter(None, parts))


def _part(block: ContentBlock) -> str:
    match block:
        case TextContent(text=text):
            return text
        case EmbeddedResource(resource=TextResourceContents(text=text)):
            return text
        case ResourceLink(name=name, uri=uri):
            return f"{name}: {uri}"
        case ImageContent():
            return "(a picture, which is not shown)"
        case AudioContent():
            return "(a recording, which is not heard)"
        case EmbeddedResource():
            return "(a file, which is not read)"
