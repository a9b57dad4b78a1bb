"""Blocks out of the lines of a PDF: paragraphs, list items, headings, with tables in place.

A paragraph ends where the type changes, where the space to the next line is larger than usual,
or where a line falls short after a full stop. It goes on over a page's end when it breaks off
in mid-sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from ingest.clean import join_lines, vocabulary
from ingest.document import Block, BlockKind
from ingest.parse.lines import is_bullet, is_contents_entry, list_marker, with_plain_marker
from ingest.parse.pdf_headings import Headings, OutlineEntry
from ingest.parse.pdf_lines import Line

_SENTENCE_ENDS = (".", "!", "?", ":", ";", ".”", '."', ".)")
_WIDER_GAP = 1.35
_SIZE_CHANGE_PT = 0.8
_SHORT_LINE = 0.75
_INDENT_PT = 6.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A block that is ready, such as a table, and the line before which it stands."""

    before: int
    block: Block


def blocks_of(
    lines: Sequence[Line], outline: Sequence[OutlineEntry], ready: Sequence[Placed] = ()
) -> list[Block]:
    """The blocks of a whole document, in the order of its lines."""
    return _Reader(lines, Headings(lines, outline), ready).read()


def joined_over_pages(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with each paragraph whole that a page's end had cut in two."""
    joined: list[Block] = []
    for block in blocks:
        if joined and _goes_on(joined[-1], block):
            before = joined[-1]
            text = join_lines([before.text, block.text], frozenset())
            joined[-1] = replace(before, text=text, page_to=block.page)
        else:
            joined.append(block)
    return joined


def _goes_on(before: Block, block: Block) -> bool:
    return (
        block.page == before.last_page + 1
        and block.kind is BlockKind.PARAGRAPH
        and before.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM)
        and not before.text.endswith(_SENTENCE_ENDS)
        and block.text[:1].islower()
    )


class _Reader:
    """Goes through the lines once, gathering those of the paragraph it is in."""

    def __init__(self, lines: Sequence[Line], headings: Headings, ready: Sequence[Placed]) -> None:
        self._lines = lines
        self._headings = headings
        self._ready: Mapping[int, list[Block]] = _by_line(ready)
        self._words = vocabulary([line.raw_text for line in lines])
        self._step = _usual_step(lines)
        self._right = _right_edges(lines)
        self._blocks: list[Block] = []
        self._part: list[Line] = []

    def read(self) -> list[Block]:
        """All blocks, those that were ready among them."""
        index = 0
        while index < len(self._lines):
            self._put_ready(index)
            count, level = self._headings.at(index)
            if count:
                self._heading(self._lines[index : index + count], level)
            else:
                self._take(self._lines[index])
            index += max(count, 1)
        self._put_ready(len(self._lines))
        self._close()
        return self._blocks

    def _put_ready(self, index: int) -> None:
        if index in self._ready:
            self._close()
            self._blocks.extend(self._ready[index])

    def _heading(self, lines: Sequence[Line], level: int) -> None:
        self._close()
        text = join_lines([line.raw_text for line in lines], self._words)
        self._blocks.append(Block(BlockKind.HEADING, text, lines[0].page, level))

    def _take(self, line: Line) -> None:
        if is_contents_entry(line.text) and line.text[-1:].isdigit():
            self._close()
            return
        if self._part and self._begins(self._part[-1], line):
            self._close()
        self._part.append(line)

    def _begins(self, before: Line, line: Line) -> bool:
        """Whether a line begins a paragraph, judged by the one before it."""
        if before.page != line.page or self._begins_item(before, line):
            return True
        if abs(before.size_pt - line.size_pt) > _SIZE_CHANGE_PT:
            return True
        step = line.y - before.y
        if step < 0:
            return before.text.endswith(_SENTENCE_ENDS) or not line.text[:1].islower()
        if step > _WIDER_GAP * self._step.get(line.style[0], 1.2 * line.size_pt):
            return True
        return self._falls_short(before) and before.text.endswith(_SENTENCE_ENDS)

    def _begins_item(self, before: Line, line: Line) -> bool:
        """Whether a list item begins: "4) and" in mid-sentence is a number and none."""
        if list_marker(line.text) is None:
            return False
        return (
            is_bullet(line.text)
            or before.text.endswith((*_SENTENCE_ENDS, ",", "and", "or"))
            or self._falls_short(before)
            or abs(before.left - line.left) > _INDENT_PT
        )

    def _falls_short(self, line: Line) -> bool:
        return line.right < _SHORT_LINE * self._right.get(line.page, 0.0)

    def _close(self) -> None:
        if not self._part:
            return
        text = join_lines([line.raw_text for line in self._part], self._words)
        page = self._part[0].page
        self._part = []
        # A footnote's mark on a line of its own says nothing.
        if not any(char.isalpha() for char in text) and len(text) < 4:
            return
        if list_marker(text):
            self._blocks.append(Block(BlockKind.LIST_ITEM, with_plain_marker(text), page))
        else:
            self._blocks.append(Block(BlockKind.PARAGRAPH, text.replace("\ufffe", "-"), page))


def _by_line(ready: Sequence[Placed]) -> dict[int, list[Block]]:
    found: dict[int, list[Block]] = {}
    for placed in ready:
        found.setdefault(placed.before, []).append(placed.block)
    return found


def _usual_step(lines: Sequence[Line]) -> dict[float, float]:
    """The distance between lines of one paragraph, for each size of type, points."""
    steps: dict[float, list[float]] = {}
    for before, line in pairwise(lines):
        step = line.y - before.y
        alike = before.page == line.page and before.style[0] == line.style[0]
        if alike and 0.8 * line.size_pt < step < 3 * line.size_pt:
            steps.setdefault(line.style[0], []).append(step)
    return {size: median(found) for size, found in steps.items()}


def _right_edges(lines: Sequence[Line]) -> dict[int, float]:
    """How far to the right the lines of each page reach, points."""
    edges: dict[int, float] = {}
    for line in lines:
        edges[line.page] = max(edges.get(line.page, 0.0), line.right)
    return edges
