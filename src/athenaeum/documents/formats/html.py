"""HTML: the main part of a page, without what surrounds it on every page."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

from athenaeum.documents.formats.outline import Outline, OutlineWriter

_SURROUNDINGS = "script,style,noscript,template,svg,iframe,nav,header,footer,aside,form,button,dialog,[hidden]"
_MAIN = ("main", "[role=main]", "article", "#content", "body")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    {
        *("p", "ul", "ol", "dl", "dt", "dd", "blockquote", "figure", "figcaption", "div", "section", "article", "main"),
        *("body", "details", "summary", "address", "hr"),
    }
)
_PERMALINKS = "\u00b6#\u200b\U0001f517 "


def read(source: str) -> Outline:
    """Sections by headings, with the ids of the headings or of the sections that they begin."""
    page = LexborHTMLParser(source)
    writer = OutlineWriter()
    if (named := page.css_first("h1")) is not None:
        writer.title(_heading_text(named))
    if (titled := page.css_first("head > title")) is not None:
        writer.title(titled.text())
    for node in page.css(_SURROUNDINGS):
        if node.css_first("h1") is None:
            node.decompose()
    main = next((node for selector in _MAIN if (node := page.css_first(selector)) is not None), None)
    if main is not None:
        _Walk(writer).walk(main)
    return writer.outline()


class _Walk:
    def __init__(self, writer: OutlineWriter) -> None:
        self._writer = writer
        self._line: list[str] = []

    def walk(self, root: LexborNode) -> None:
        self._children(root)
        self._flush()

    def _children(self, node: LexborNode) -> None:
        child = node.child
        while child is not None:
            self._node(child)
            child = child.next

    def _node(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self._line.append(node.text(deep=False) or "")
        elif tag in _HEADINGS:
            self._flush()
            self._writer.heading(_HEADINGS[tag], _heading_text(node), _anchor(node))
        elif tag == "pre":
            self._flush()
            code = node.text().strip("\n")
            self._writer.block(f"```\n{code}\n```", whole=True)
        elif tag == "table":
            self._flush()
            self._writer.block(_table(node), whole=True)
        elif tag == "li":
            self._break("- ")
            self._children(node)
        elif tag == "br":
            self._line.append("\n")
        elif tag in _BLOCKS:
            self._flush()
            self._children(node)
            self._flush()
        elif not tag.startswith(("-", "!")):
            self._children(node)

    def _break(self, bullet: str) -> None:
        self._line.append(f"\n{bullet}")

    def _flush(self) -> None:
        lines = (" ".join(line.split()) for line in "".join(self._line).split("\n"))
        self._line.clear()
        self._writer.block("\n".join(line for line in lines if line and line != "-"))


def _heading_text(node: LexborNode) -> str:
    return node.text().strip().strip(_PERMALINKS)


def _anchor(heading: LexborNode) -> str | None:
    if own := heading.attributes.get("id"):
        return own
    for inner in heading.css("a[id], a[name], span[id]"):
        if found := inner.attributes.get("id") or inner.attributes.get("name"):
            return found
    parent = heading.parent
    if parent is not None and parent.tag in {"section", "div", "article"}:
        return parent.attributes.get("id")
    return None


def _table(table: LexborNode) -> str:
    rows = [[" ".join(cell.text(separator=" ").split()) for cell in row.css("th, td")] for row in table.css("tr")]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows if any(cells))
