"""Block Kit's limits: what Slack refuses with invalid_blocks or msg_blocks_too_long.

The figures are those of Slack's reference; the total of about 13,200 characters is observed (bolt-js issue 2509), and
so is that of a table's cells, and that none of them may be empty (vercel/chat pull request 373).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from slacksim.errors import explained
from slacksim.model import JsonObject

MAX_BLOCKS = 50
MAX_TOTAL_CHARACTERS = 13_200
MAX_MARKDOWN = 12_000
MAX_ID = 255
MAX_CELLS = 10_000
CELLS = frozenset({"raw_text", "raw_number", "rich_text"})
KNOWN_TYPES = frozenset(
    {
        *("actions", "alert", "call", "card", "carousel", "container", "context", "context_actions"),
        *("data_table", "divider", "file", "header", "image", "input", "markdown", "plan", "rich_text"),
        *("section", "table", "task_card", "video"),
    }
)
ELEMENT_LIMITS = {"actions": 25, "context": 10, "context_actions": 5}


def check(blocks: list[JsonObject], *, at_most: int = MAX_BLOCKS) -> None:
    """Raises what Slack answers to blocks that it would refuse."""
    if problems := list(_problems(blocks, at_most)):
        raise explained("invalid_blocks", *problems)
    if sum(len(text) for block in blocks for text in _texts(block)) > MAX_TOTAL_CHARACTERS:
        raise explained("msg_blocks_too_long", f"over {MAX_TOTAL_CHARACTERS} characters in all blocks")


def _problems(blocks: list[JsonObject], at_most: int) -> Iterator[str]:
    if len(blocks) > at_most:
        yield f"no more than {at_most} items allowed [json-pointer:/blocks]"
    ids = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(ids) != len(set(ids)):
        yield "block_id must be unique [json-pointer:/blocks]"
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield "only one table allowed [json-pointer:/blocks]"
    for index, block in enumerate(blocks):
        for problem in _block_problems(block):
            yield f"{problem} [json-pointer:/blocks/{index}]"


def _block_problems(block: JsonObject) -> Iterator[str]:
    kind = str(block.get("type", ""))
    if kind not in KNOWN_TYPES:
        yield f"unsupported type: {kind}"
        return
    if len(str(block.get("block_id", ""))) > MAX_ID:
        yield f"block_id must be less than {MAX_ID + 1} characters"
    if check_kind := CHECKS.get(kind):
        yield from check_kind(block)
    if kind in ELEMENT_LIMITS:
        yield from _element_problems(block, ELEMENT_LIMITS[kind])


def _text_problem(text: Any, limit: int, *, plain: bool = False) -> Iterator[str]:
    if not isinstance(text, dict):
        yield "missing required field: text"
        return
    composed = cast("JsonObject", text)
    if composed.get("type") not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
        yield "text must be of type plain_text" if plain else "text must be of type plain_text or mrkdwn"
    written = composed.get("text")
    if not isinstance(written, str) or not written:
        yield "must be more than 0 characters: text"
    elif len(written) > limit:
        yield f"must be less than {limit + 1} characters: text"


def _section(block: JsonObject) -> Iterator[str]:
    fields: list[Any] = block.get("fields") or []
    if not block.get("text") and not fields:
        yield "a section needs text or fields"
    if block.get("text"):
        yield from _text_problem(block["text"], 3_000)
    if len(fields) > 10:
        yield "no more than 10 items allowed: fields"
    for field in fields:
        yield from _text_problem(field, 2_000)


def _header(block: JsonObject) -> Iterator[str]:
    yield from _text_problem(block.get("text"), 150, plain=True)


def _markdown(block: JsonObject) -> Iterator[str]:
    text = block.get("text")
    if not isinstance(text, str) or not text:
        yield "missing required field: text"
    elif len(text) > MAX_MARKDOWN:
        yield f"must be less than {MAX_MARKDOWN + 1} characters: text"


def _image(block: JsonObject) -> Iterator[str]:
    if not block.get("alt_text"):
        yield "missing required field: alt_text"
    if not block.get("image_url") and not block.get("slack_file"):
        yield "missing required field: image_url"


def _table(block: JsonObject) -> Iterator[str]:
    rows: list[list[Any]] = block.get("rows") or []
    cells: list[JsonObject] = [cell for row in rows for cell in row]
    if not rows:
        yield "missing required field: rows"
    if len(rows) > 100:
        yield "no more than 100 items allowed: rows"
    if any(len(row) > 20 for row in rows) or len(block.get("column_settings") or []) > 20:
        yield "no more than 20 items allowed: rows/columns"
    if unknown := {str(cell.get("type")) for cell in cells} - CELLS:
        yield f"unsupported type: {', '.join(sorted(unknown))}"
    if any(not "".join(_texts(cell)) for cell in cells if cell.get("type") != "raw_number"):
        yield "must be more than 0 characters: rows/columns/text"
    if sum(len(text) for cell in cells for text in _texts(cell)) > MAX_CELLS:
        yield f"no more than {MAX_CELLS} characters allowed: rows"


def _input(block: JsonObject) -> Iterator[str]:
    yield from (f"{problem} (label)" for problem in _text_problem(block.get("label"), 2_000, plain=True))
    element = block.get("element")
    if not isinstance(element, dict) or not cast("JsonObject", element).get("action_id"):
        yield "missing required field: element with an action_id"


CHECKS: dict[str, Callable[[JsonObject], Iterator[str]]] = {
    "section": _section,
    "header": _header,
    "markdown": _markdown,
    "image": _image,
    "table": _table,
    "input": _input,
}


def _element_problems(block: JsonObject, limit: int) -> Iterator[str]:
    elements: list[JsonObject] = block.get("elements") or []
    if not elements:
        yield "missing required field: elements"
    if len(elements) > limit:
        yield f"no more than {limit} items allowed: elements"
    for element in elements:
        if len(str(element.get("action_id", ""))) > MAX_ID:
            yield f"action_id must be less than {MAX_ID + 1} characters"
        if element.get("type") == "button":
            yield from _text_problem(element.get("text"), 75, plain=True)
            if len(str(element.get("value", ""))) > 2_000:
                yield "must be less than 2001 characters: value"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in cast("JsonObject", value).items():
            if name == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _texts(inner)


def texts(blocks: list[JsonObject]) -> list[str]:
    """Every text in the blocks."""
    return list(_texts(blocks))


def elements(blocks: list[JsonObject]) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Every interactive element with the block it stands in."""
    for block in blocks:
        inner: list[JsonObject] = list(block.get("elements") or [])
        if isinstance(block.get("accessory"), dict):
            inner.append(block["accessory"])
        for element in inner:
            if "action_id" in element:
                yield block, element
