"""HTML as a reader sees it: no menus, scripts or hidden parts; headings, lists and tables kept."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.clean import clean, clean_line
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, Finding, ParsedDocument
from ingest.parse.markup import (
    code_findings,
    hidden_findings,
    one_page_document,
    pipe_table,
)
from ingest.parse.text import decode
from ingest.parse.titles import heading_title, stated_title

_DROPPED = frozenset(
    (
        "script", "style", "nav", "noscript", "template", "iframe", "object", "svg", "canvas",
        "button", "select", "input", "textarea", "dialog", "head", "audio", "video", "map",
    )
)  # fmt: skip
_DROPPED_ROLES = frozenset(("navigation", "search", "banner", "menu", "menubar", "dialog"))
_INLINE = frozenset(
    (
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn",
        "em", "font", "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span",
        "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "nobr", "tbody",
    )
)  # fmt: skip
_HEADING = re.compile(r"h[1-6]$")
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0*)?\s*(?:;|$)"
    r"|font-size\s*:\s*[01](?:\.0*)?(?:px|pt)?\s*(?:;|$)",
    re.IGNORECASE,
)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_MAX_COLUMNS = 200


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read a web page; raises RefusedFile when it holds no text."""
    match = _CHARSET.search(content[:4096])
    text = decode(content, match.group(1).decode("ascii", "ignore") if match else None)
    page = _page(text)
    title = page.css_first("head > title")
    blocks = _blocks_below(page.body)
    stated = stated_title(title.text()) if title else None
    found = (*code_findings(text), *_hidden_findings(page.body))
    return one_page_document(stated or heading_title(blocks), blocks, settings, found)


def blocks_of(text: str) -> list[Block]:
    """The blocks of a piece of HTML."""
    return _blocks_below(_page(text).body)


def _hidden_findings(body: LexborNode | None) -> tuple[Finding, ...]:
    """How much text stands in elements that no reader sees; menus and scripts are not meant."""
    hidden = [] if body is None else body.css("[hidden], [style]")
    chars = sum(
        len(clean_line(node.text()))
        for node in hidden
        if _is_unseen(node) and not any(map(_is_unseen, _above(node)))
    )
    return hidden_findings(chars, "in parts of the page that are not shown")


def _above(node: LexborNode) -> Iterator[LexborNode]:
    while (parent := node.parent) is not None:
        yield parent
        node = parent


def _page(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(text.replace("\x00", ""))


def _blocks_below(body: LexborNode | None) -> list[Block]:
    return _Reader().read(_main_part(body)) if body else []


def _main_part(body: LexborNode) -> LexborNode:
    """The element marked as the page's main part, if it holds most of the text."""
    for main in body.css("main, [role=main]"):
        if 2 * len(main.text()) > len(body.text()):
            return main
    return body


class _Reader:
    """Walks the tree without recursion, for depth is up to the file; gathers inline text."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._inline: list[str] = []
        self._markers: list[str] = []
        self._numbers: list[int | None] = []

    def read(self, root: LexborNode) -> list[Block]:
        """The blocks below an element, in order."""
        stack: list[tuple[LexborNode, bool]] = [(root, True)]
        while stack:
            node, entering = stack.pop()
            if not entering:
                self._leave(node)
            elif self._enter(node):
                stack.append((node, False))
                stack.extend((child, True) for child in reversed(list(_children(node))))
        self._flush()
        return self._blocks

    def _enter(self, node: LexborNode) -> bool:
        """Take what a node gives; False when its children are not to be walked."""
        tag = node.tag or ""
        if tag == "-text":
            self._inline.append(node.text_content or "")
            return False
        if not node.is_element_node or _is_dropped(node, tag):
            return False
        if tag == "br":
            self._inline.append("\n")
            return False
        if tag not in _INLINE:
            self._flush()
        if tag == "table" and _is_data_table(node):
            self._add(BlockKind.TABLE, pipe_table(_rows(node)))
            return False
        if tag == "pre":
            self._add(BlockKind.PARAGRAPH, clean(_text(node)))
            return False
        self._open_list(node, tag)
        return True

    def _open_list(self, node: LexborNode, tag: str) -> None:
        if tag == "ol":
            start = node.attributes.get("start") or "1"
            self._numbers.append(int(start) if start.isdecimal() and len(start) < 7 else 1)
        elif tag in ("ul", "menu", "dir"):
            self._numbers.append(None)
        elif tag == "li":
            self._markers.append(self._next_marker())

    def _next_marker(self) -> str:
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            return "- "
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if _HEADING.match(tag):
            self._add(BlockKind.HEADING, clean_line(self._take()), int(tag[1]))
        elif tag not in _INLINE:
            self._flush()
        if tag in ("ol", "ul", "menu", "dir") and self._numbers:
            self._numbers.pop()
        elif tag == "li" and self._markers:
            self._markers.pop()

    def _flush(self) -> None:
        """Close the paragraph or list item whose inline text has been gathered."""
        text = clean_line(self._take())
        if self._markers and self._markers[-1] and text:
            marker, self._markers[-1] = self._markers[-1], ""
            self._add(BlockKind.LIST_ITEM, marker + text, max(0, len(self._numbers) - 1))
        else:
            self._add(BlockKind.PARAGRAPH, text)

    def _take(self) -> str:
        text = "".join(self._inline)
        self._inline = []
        return text

    def _add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        if any(char.isalnum() for char in text):
            self._blocks.append(Block(kind, text, 1, level))


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def _is_dropped(node: LexborNode, tag: str) -> bool:
    if tag in _DROPPED:
        return True
    attributes = node.attributes
    return (
        attributes.get("aria-hidden") == "true"
        or attributes.get("role") in _DROPPED_ROLES
        or _is_unseen(node)
    )


def _is_unseen(node: LexborNode) -> bool:
    """Whether an element says of itself that it is not shown."""
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))


def _is_data_table(table: LexborNode) -> bool:
    """Whether a table holds data, and is not there to place parts of the page side by side."""
    if table.attributes.get("role") in ("presentation", "none"):
        return False
    if any(inner != table for inner in table.css("table")) or table.css_first("h1,h2,h3,form"):
        return False
    return bool(table.css_first("th")) or sum(1 for row in _rows(table) if len(row) > 1) > 1


def _rows(table: LexborNode) -> list[list[str]]:
    """The cells of a table; a cell that spans rows stands in each of them."""
    rows: list[list[str]] = []
    pending: dict[int, tuple[int, str]] = {}  # column: rows left to fill, text
    for row in table.css("tr"):
        line: list[str] = []
        for cell in row.css("td, th"):
            _fill(line, pending)
            text = clean_line(_text(cell))
            for part in (text, *[""] * (_span(cell, "colspan") - 1)):
                if _span(cell, "rowspan") > 1:
                    pending[len(line)] = (_span(cell, "rowspan") - 1, part)
                line.append(part)
        _fill(line, pending)
        rows.append(line[:_MAX_COLUMNS])
    return rows


def _fill(line: list[str], pending: dict[int, tuple[int, str]]) -> None:
    while len(line) in pending:
        left, text = pending.pop(len(line))
        if left > 1:
            pending[len(line)] = (left - 1, text)
        line.append(text)


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return max(1, min(int(value), _MAX_COLUMNS)) if value.isdecimal() and len(value) < 6 else 1


def _text(node: LexborNode) -> str:
    """The visible text below an element, its blocks apart by line ends."""
    parts: list[str] = []
    stack = [node]
    while stack:
        current = stack.pop()
        tag = current.tag or ""
        if tag == "-text":
            parts.append(current.text_content or "")
        elif current.is_element_node and not _is_dropped(current, tag):
            if tag not in _INLINE:
                parts.append("\n")
            stack.extend(reversed(list(_children(current))))
    return "".join(parts)
