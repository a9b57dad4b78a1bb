"""A page's text as it is shown: headings, lists and tables again, the quoted words marked.

The record keeps a page as plain text: blocks with a blank line between them, tables in Markdown,
list items with their markers. What a block is can be read from that, except for a heading without
a number: there the document's own outline is asked where it is known, and else the line's shape.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby, pairwise

from ingest.letters import Span
from ingest.parse.lines import could_be_heading, is_bullet, list_marker, number_depth
from web.marks import Mark, Piece, cut

HEADING_MAX_WORDS = 10
WIDE_COLUMNS = 6
_BLOCK = re.compile(r"[^\n]+(?:\n[^\n]+)*")
_LINE = re.compile(r"[^\n]+")
_RULER = re.compile(r"\|(?: *:?-+:? *\|)+ *")
_BAR = re.compile(r"(?<!\\)\|")

Words = tuple[Piece, ...]


class Kind(StrEnum):
    """How a block is shown."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    BULLETS = "bullets"
    NUMBERS = "numbers"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A heading that the contents lead to; level: how deep it stands, from 1."""

    id: str
    level: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A block, ready to be shown.

    lines: the items of a list; one line of anything else but a table.
    head, rows: the cells of a table; head is empty where the first row names no columns.
    caption: the heading under which a table stands, or empty.
    anchor: where the contents lead to this heading.
    """

    kind: Kind
    lines: tuple[Words, ...] = ()
    head: tuple[Words, ...] = ()
    rows: tuple[tuple[Words, ...], ...] = ()
    caption: str = ""
    anchor: Anchor | None = None

    @property
    def words(self) -> Iterator[Piece]:
        """All pieces of the block in order."""
        for line in (*self.lines, *self.head, *(cell for row in self.rows for cell in row)):
            yield from line

    @property
    def wide(self) -> bool:
        """Whether a table has more columns than fit beside a picture."""
        return len(self.rows[0] if self.rows else self.head) >= WIDE_COLUMNS


@dataclass(frozen=True, slots=True)
class _Block:
    kind: Kind
    start: int
    text: str


def shown_blocks(
    text: str,
    marks: Sequence[Mark] = (),
    outline: Collection[str] = (),
    anchors: Mapping[int, Anchor] | None = None,
    within: Span | None = None,
) -> tuple[Shown, ...]:
    """The blocks of a page's text.

    outline: headings that the document is known to have. anchors: by where their heading begins.
    within: only the blocks that begin in this stretch.
    """
    start, end = within or (0, len(text))
    blocks = [one for one in _blocks(text, outline, anchors or {}) if start <= one.start < end]
    return tuple(_shown(text, marks, blocks, anchors or {}))


def _shown(
    text: str, marks: Sequence[Mark], blocks: Sequence[_Block], anchors: Mapping[int, Anchor]
) -> Iterator[Shown]:
    heading = ""
    for kind, group in groupby(blocks, key=lambda block: block.kind):
        alike = list(group)
        match kind:
            case Kind.BULLETS | Kind.NUMBERS:
                yield Shown(kind, tuple(_item(text, marks, block) for block in alike))
            case Kind.TABLE:
                yield from (_table(text, marks, block, heading) for block in alike)
            case _:
                for block in alike:
                    whole = (_whole(text, marks, block),)
                    yield Shown(kind, whole, anchor=anchors.get(block.start))
        if kind is Kind.HEADING:
            heading = alike[-1].text


def block_starts(text: str) -> tuple[int, ...]:
    """Where the blocks of a page's text begin."""
    return tuple(match.start() for match in _BLOCK.finditer(text))


def block_around(text: str, place: int) -> Span:
    """The block that this place is in; an empty stretch between two blocks."""
    for match in _BLOCK.finditer(text):
        if match.start() <= place < match.end():
            return match.span()
    return place, place


def _blocks(text: str, outline: Collection[str], anchors: Mapping[int, Anchor]) -> list[_Block]:
    matches = list(_BLOCK.finditer(text))
    texts = ["", *(match[0] for match in matches), ""]
    known = {heading.casefold() for heading in outline}
    return [
        _Block(
            Kind.HEADING if match.start() in anchors else _kind(*around, known),
            match.start(),
            match[0],
        )
        for match, around in zip(
            matches, zip(texts, texts[1:], texts[2:], strict=False), strict=True
        )
    ]


def _kind(before: str, text: str, after: str, known: Collection[str]) -> Kind:
    if _is_table(text):
        return Kind.TABLE
    if text.casefold() in known or _looks_like_heading(before, text, after):
        return Kind.HEADING
    if is_bullet(text):
        return Kind.BULLETS
    return Kind.NUMBERS if list_marker(text) else Kind.PARAGRAPH


def _is_table(text: str) -> bool:
    lines = text.split("\n")
    return len(lines) > 1 and lines[0].startswith("|") and _RULER.fullmatch(lines[1]) is not None


def _looks_like_heading(before: str, text: str, after: str) -> bool:
    if not _is_short_line(text) or is_bullet(text):
        return False
    if number_depth(text):
        # "1. Purpose" is a heading where no "2. ..." follows at once: there it is a list.
        return not _follows(before, text) and not _follows(text, after)
    if list_marker(text):
        return False
    return text[0].isupper() and bool(after) and not _is_short_line(after.split("\n")[0])


def _is_short_line(text: str) -> bool:
    return (
        "\n" not in text
        and len(text.split()) <= HEADING_MAX_WORDS
        and not text.startswith("|")
        and not text.endswith(":")
        and could_be_heading(text)
    )


def _follows(before: str, after: str) -> bool:
    """Whether the second is the next item of the list that the first is an item of."""
    one, other = list_marker(before), list_marker(after)
    if one is None or other is None or is_bullet(before) or is_bullet(after):
        return False
    first, second = one.strip(" .)("), other.strip(" .)(")
    if first.isdigit() and second.isdigit():
        return int(second) == int(first) + 1
    return first.isalpha() and second.isalpha()


def _whole(text: str, marks: Sequence[Mark], block: _Block) -> Words:
    return cut(text, marks, block.start, block.start + len(block.text))


def _item(text: str, marks: Sequence[Mark], block: _Block) -> Words:
    # A number stays as it was written: other places in the document may name it.
    marker = list_marker(block.text) if block.kind is Kind.BULLETS else None
    start = block.start + len(marker or "")
    return cut(text, marks, start, block.start + len(block.text))


def _table(text: str, marks: Sequence[Mark], block: _Block, caption: str) -> Shown:
    rows = [
        _row(text, marks, block.start + line.start(), line[0])
        for line in _LINE.finditer(block.text)
        if not _RULER.fullmatch(line[0])
    ]
    if _names_columns(rows[0]):
        return Shown(Kind.TABLE, (), rows[0], tuple(rows[1:]), caption)
    return Shown(Kind.TABLE, (), (), tuple(rows), caption)


def _row(text: str, marks: Sequence[Mark], start: int, row: str) -> tuple[Words, ...]:
    cells: list[Words] = []
    for left, right in pairwise(match.start() for match in _BAR.finditer(row)):
        cell = row[left + 1 : right]
        begin = start + left + 1 + len(cell) - len(cell.lstrip())
        cells.append(_plain_bars(cut(text, marks, begin, begin + len(cell.strip()))))
    return tuple(cells)


def _plain_bars(words: Words) -> Words:
    return tuple(replace(one, text=one.text.replace("\\|", "|")) for one in words)


def _names_columns(row: Sequence[Words]) -> bool:
    """Not so in a list of facts: "Policy number | IC-001" is a name and its value."""
    value = "".join(piece.text for piece in row[-1])
    return len(row) != 2 or not any(map(str.isdigit, value))
