"""Plain text: its encoding, its paragraphs, and the headings that can be told without markup."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from ingest.clean import clean, join_lines, vocabulary
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, ParsedDocument
from ingest.parse.lines import (
    could_be_heading,
    is_upper_case,
    list_marker,
    number_depth,
    with_plain_marker,
)
from ingest.parse.markup import code_findings, one_page_document
from ingest.parse.titles import heading_title

_UNDERLINE = re.compile(r"(={3,}|-{3,}|~{3,}|\*{3,})$")
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read plain text; raises RefusedFile when there is none."""
    text = decode(content)
    blocks = blocks_of(clean(text))
    return one_page_document(heading_title(blocks), blocks, settings, code_findings(text))


def decode(content: bytes, declared: str | None = None) -> str:
    """Bytes to text: byte-order mark, UTF-16 by its zeros, UTF-8, what was declared, Windows 1252.

    declared: an encoding's name from the file itself, used only if the bytes are not UTF-8.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    head = content[:4096]
    for zeros, encoding in ((head[1::2], "utf-16-le"), (head[0::2], "utf-16-be")):
        if zeros and zeros.count(0) > 0.5 * len(zeros):
            return content.decode(encoding, "replace")
    for candidate in ("utf-8", declared):
        text = _try(content, candidate)
        if text is not None:
            return text
    return content.decode("cp1252", "replace")


def _try(content: bytes, encoding: str | None) -> str | None:
    try:
        return content.decode(encoding) if encoding else None
    except (UnicodeError, LookupError):
        return None


def blocks_of(text: str, page: int = 1) -> list[Block]:
    """The blocks of cleaned text, split at blank lines, list markers and headings."""
    lines = text.split("\n")
    words = vocabulary(lines)
    groups = [list(group) for filled, group in groupby(lines, key=bool) if filled]
    return [block for group in groups for block in _blocks(group, words, page)]


def _blocks(lines: list[str], words: frozenset[str], page: int) -> Iterator[Block]:
    """The blocks of lines without a blank one between them."""
    lines = [line for line in lines if any(char.isalnum() for char in line) or _is_rule(line)]
    level = _heading_level(lines)
    if level:
        yield Block(BlockKind.HEADING, lines[0], page, level)
        lines = [line for line in lines[1:] if not _is_rule(line)]
    part: list[str] = []
    for line in lines:
        if _is_rule(line):
            continue
        if part and list_marker(line):
            yield _block(part, words, page)
            part = []
        part.append(line)
    if part:
        yield _block(part, words, page)


def _block(lines: Sequence[str], words: frozenset[str], page: int) -> Block:
    text = join_lines(lines, words)
    if list_marker(text):
        return Block(BlockKind.LIST_ITEM, with_plain_marker(text), page)
    return Block(BlockKind.PARAGRAPH, text, page)


def _heading_level(lines: Sequence[str]) -> int:
    """The level of the heading that the lines begin with; 0 if they begin with none."""
    if not lines or not could_be_heading(lines[0]):
        return 0
    if len(lines) > 1 and _is_rule(lines[1]):
        return 1 if lines[1][0] == "=" else 2
    if len(lines) > 1:
        return 0
    depth = number_depth(lines[0])
    if depth and len(lines[0].split()) > 1:
        return depth + 1
    return 2 if is_upper_case(lines[0]) else 0


def _is_rule(line: str) -> bool:
    return _UNDERLINE.match(line) is not None
