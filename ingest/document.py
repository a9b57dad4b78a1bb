"""A file once read: its blocks in reading order, each with its page. Pages count from 1."""

from dataclasses import dataclass
from enum import StrEnum

# Below this, what OCR made of a line is more likely wrong than right.
LEAST_SCORE = 0.5


class BlockKind(StrEnum):
    """What a block is to a reader."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item or table.

    text: of a table, a Markdown pipe table with its header row first; of a list item, with its
        marker ("- x", "1. x").
    page: where it begins.
    level: of a heading, 1 (outermost) to 9; of a list item, its depth from 0.
    page_to: where it ends, if not on the page where it begins; otherwise 0.
    """

    kind: BlockKind
    text: str
    page: int
    level: int = 0
    page_to: int = 0

    @property
    def last_page(self) -> int:
        """The page on which it ends."""
        return max(self.page, self.page_to)


class FindingKind(StrEnum):
    """What a person should look at before a document is relied on."""

    NO_TEXT = "no_text"  # a page that holds pictures and no text
    SCANNED = "scanned"  # a page whose text was read from its picture
    HIDDEN = "hidden"  # text that nobody sees was left out
    ROTATED = "rotated"  # a page whose text stands on its side
    INSTRUCTION = "instruction"  # a sentence that speaks to the assistant instead of to readers
    DIFFERS = "differs"  # another policy in force gives another amount
    ATTACHMENT = "attachment"  # an attachment of a mail that was not read, or not wholly


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found on a page.

    detail: in words for people; never the hidden text itself. count: characters or lines, 0 where
    that says nothing.
    """

    kind: FindingKind
    page: int
    detail: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class ScanLine:
    """A piece of text that OCR saw in the picture of a page.

    score: how sure OCR is, 0 to 1. box: left, top, right, bottom in points from the upper left
    corner of the page as it is shown. place: the same once the page stands upright and straight.
    """

    text: str
    score: float
    box: tuple[float, float, float, float]
    place: tuple[float, float, float, float]

    @property
    def is_read(self) -> bool:
        """Whether the text is more likely there than not."""
        return self.score >= LEAST_SCORE


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a parser makes of one file.

    title: as the file itself states it, or None.
    page_texts: cleaned text per page, shown beside the page's image; formats without pages have
        one page.
    pages_without_text: pages that hold pictures and no text, so that nobody takes the text for all.
    findings: what a person should look at, in the order of the pages.
    """

    title: str | None
    blocks: tuple[Block, ...]
    page_count: int
    page_texts: tuple[str, ...]
    pages_without_text: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class PassageText:
    """A stretch of one section, as it is shown and as it is searched.

    section: the path of headings, "A > B > C"; empty before the first heading.
    embed_text: title, heading path and text: what is embedded and matched by words.
    """

    ordinal: int
    section: str
    page_from: int
    page_to: int
    text: str
    embed_text: str
