"""What of a document is shown at once, in which parts, and where the addresses in it lead.

A PDF is shown by its pages, slides and sheets by theirs. What has no pages is one text; a long one
is cut in parts where a section begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from governance.policies import DocumentSummary
from web.contents import Entry, anchors_on
from web.page_text import Shown, block_starts, shown_blocks
from web.places import Opened

PDF = "application/pdf"
# Shown whole below this many pages.
SHORT_PAGES = 6
PART_CHARS = 20_000
_LINE_CHARS = 100
_NAMES = (("pdf", "Page"), ("presentation", "Slide"), ("spreadsheet", "Sheet"))


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is turned to as one: a page, or a part of a text without pages.

    number: from 1. page: of the record, from 1; start, end: the stretch of its text. title: the
    heading it begins with, where it is a part. name: `Page 2 of 7`.
    """

    number: int
    page: int
    start: int
    end: int
    name: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class ShownPage:
    """One leaf as the viewer shows it.

    image: its address, or empty. first: the picture is wanted at once. id, mark_id: where the
    address `#p3` leads to, the leaf or its first mark; either may be empty.
    """

    leaf: Leaf
    blocks: tuple[Shown, ...]
    image: str = ""
    first: bool = False
    id: str = ""
    mark_id: str = ""

    @property
    def number(self) -> int:
        """The number of the leaf."""
        return self.leaf.number

    @property
    def marked(self) -> bool:
        """Whether any of the words that a reader came for are on it."""
        return any(piece.first for block in self.blocks for piece in block.words)


def leaves_of(texts: Sequence[str], entries: Sequence[Entry], media_type: str) -> tuple[Leaf, ...]:
    """The leaves of a version; of one without any text there is one, which is empty."""
    found: list[Leaf] = []
    for page, text in enumerate(texts or ("",), 1):
        cuts = [0] if media_type == PDF else _cuts(text, entries, page)
        for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True):
            found.append(Leaf(len(found) + 1, page, start, end))
    paged = len(found) == max(1, len(texts))
    name = next((words for mark, words in _NAMES if mark in media_type), "Part")
    return tuple(_named(leaf, len(found), name if paged else "Part", entries) for leaf in found)


def leaf_at(leaves: Sequence[Leaf], page: int, start: int) -> Leaf:
    """The leaf on which a place of the record's page is."""
    before = [leaf for leaf in leaves if (leaf.page, leaf.start) <= (page, start)]
    return before[-1] if before else leaves[0]


def is_paged(leaves: Sequence[Leaf]) -> bool:
    """Whether the leaves are pages, slides or sheets and no parts of one text."""
    return leaves[0].name.partition(" ")[0] in {name for _, name in _NAMES}


def window(
    pages: int, page_from: int, page_to: int, around: int, short: int = SHORT_PAGES
) -> tuple[int, int]:
    """First and last page to show: all of a short document, else some around the passage."""
    if pages <= short:
        return 1, pages
    page_from, page_to = min(max(page_from, 1), pages), min(max(page_to, 1), pages)
    return max(1, page_from - around), min(pages, max(page_from, page_to) + around)


def paging(first: int, last: int, pages: int) -> dict[str, Any]:
    """What the links to earlier and later pages need."""
    step = last - first + 1
    return {
        "first": first,
        "last": last,
        "pages": pages,
        "earlier": max(1, first - (step + 1) // 2) if first > 1 else None,
        "later": min(pages, last + (step + 1) // 2) if last < pages else None,
    }


def shown_leaf(
    leaf: Leaf,
    text: str,
    opened: Opened | None,
    entries: Sequence[Entry],
    outline: Sequence[str] = (),
    image: str = "",
) -> ShownPage:
    """One leaf with its headings and marks; image: the address of its picture without marks."""
    marks = opened.marks_on(leaf.page) if opened else ()
    if image and marks and opened:
        image = f"{image}?{opened.query()}"
    anchors = anchors_on(entries, leaf.page)
    within = (leaf.start, leaf.end)
    return ShownPage(leaf, shown_blocks(text, marks, outline, anchors, within), image)


def placed(
    pages: Sequence[ShownPage], quote_page: int | None, asked: int | None
) -> list[ShownPage]:
    """The leaves with the places their addresses lead to.

    A citation's address ends in the number of the quote's first page. It leads to the quoted words
    themselves, because the top of a long page may not show them; one that asks for a page by
    itself leads to the page.
    """
    quote_id = f"p{quote_page}" if quote_page and asked is None else ""
    marked = next((page.number for page in pages if page.marked), None) if quote_id else None
    opened = asked or marked or quote_page or pages[0].number
    return [
        replace(
            page,
            first=page.number == opened,
            id="" if marked and f"p{page.number}" == quote_id else f"p{page.number}",
            mark_id=quote_id if page.number == marked else "",
        )
        for page in pages
    ]


def address_of(version: DocumentSummary) -> str:
    """The address of the viewer of a version."""
    return f"/documents/{version.document_id}/versions/{version.version}"


def _cuts(text: str, entries: Sequence[Entry], page: int) -> list[int]:
    """Where the parts of a long text begin: at a heading soon enough, else at any block."""
    headings = set(anchors_on(entries, page))
    cuts, before = [0], 0
    for start in block_starts(text):
        if start - cuts[-1] >= PART_CHARS // 2 and start in headings:
            cuts.append(start)
        elif start - cuts[-1] >= PART_CHARS:
            # A line that may announce what follows stays with it.
            cuts.append(before if _announces(text[before:start], before - cuts[-1]) else start)
        before = start
    return cuts


def _announces(block: str, chars_before: int) -> bool:
    """Whether a block is a short line without a stop, and not the first of its part."""
    line = block.strip()
    short = len(line) <= _LINE_CHARS and "\n" not in line
    return chars_before > 0 and short and not line.endswith((".", ";", "|"))


def _named(leaf: Leaf, leaves: int, name: str, entries: Sequence[Entry]) -> Leaf:
    if leaves == 1:
        return replace(leaf, name="Text" if name == "Part" else f"{name} 1")
    title = ""
    if name == "Part":
        begins = [one for one in entries if one.page == leaf.page and one.start == leaf.start]
        title = begins[0].title if begins else ""
    return replace(leaf, name=f"{name} {leaf.number} of {leaves}", title=title)
