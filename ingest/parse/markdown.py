"""Markdown, by its tokens: headings, lists, tables; front matter gives the title, not text."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.clean import clean, clean_line
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, ParsedDocument
from ingest.parse.html import blocks_of as html_blocks
from ingest.parse.markup import code_findings, one_page_document, pipe_table
from ingest.parse.text import decode
from ingest.parse.titles import heading_title

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
_TEMPLATE_TAG = re.compile(r"\{%.*?%\}|\{\{[<%].*?[>%]\}\}", re.DOTALL)
_ATTRIBUTES = re.compile(r"\s*\{:?\s*[.#][^{}\n]*\}")
_INLINE_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read Markdown; raises RefusedFile when it holds no text."""
    text = decode(content).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :] if front else text
    body = _ATTRIBUTES.sub("", _TEMPLATE_TAG.sub("", body))
    reader = MarkdownIt("commonmark", {"maxNesting": 60}).enable("table")
    blocks = _Reader().read(reader.parse(body))
    title = _front_title(front.group(1)) if front else None
    title = title or heading_title(blocks)
    return one_page_document(title, blocks, settings, code_findings(text))


def _front_title(front_matter: str) -> str | None:
    match = _TITLE.search(front_matter)
    return clean_line(match.group(1).strip().strip("\"'")) or None if match else None


class _Reader:
    """Walks the tokens once and keeps what has been opened: lists and the table."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._lists: list[int | None] = []  # the next number, or None for bullets
        self._marker = ""
        self._rows: list[list[str]] | None = None
        self._heading = 0

    def read(self, tokens: Sequence[Token]) -> list[Block]:
        """The blocks of a token stream."""
        for token in tokens:
            self._read(token)
        return self._blocks

    def _read(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self._lists.append(None)
            case "ordered_list_open":
                self._lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._marker = self._next_marker()
            case "heading_open":
                self._heading = int(token.tag[1])
            case "heading_close":
                self._heading = 0
            case "table_open":
                self._rows = []
            case "tr_open" if self._rows is not None:
                self._rows.append([])
            case "table_close":
                self._add(BlockKind.TABLE, pipe_table(self._rows or ()))
                self._rows = None
            case "inline":
                self._read_inline(_inline_text(token))
            case "fence" | "code_block":
                self._add(BlockKind.PARAGRAPH, clean(token.content))
            case "html_block":
                self._blocks.extend(html_blocks(token.content))

    def _next_marker(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _read_inline(self, text: str) -> None:
        if self._rows is not None:
            self._rows[-1].append(text)
        elif self._heading:
            self._add(BlockKind.HEADING, text, self._heading)
        elif self._lists and self._marker:
            self._add(BlockKind.LIST_ITEM, self._marker + text, len(self._lists) - 1)
            self._marker = ""
        else:
            self._add(BlockKind.PARAGRAPH, text)

    def _add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        if any(char.isalnum() for char in text):
            self._blocks.append(Block(kind, text, 1, level))


def _inline_text(token: Token) -> str:
    """What a reader sees of inline Markdown: no markers, no addresses, no tags."""
    parts: list[str] = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "image":
            parts.append(child.content)
        elif child.type == "html_inline" and _INLINE_TAG.match(child.content):
            parts.append(" ")
    return clean_line("".join(parts))
