"""A sample policy as written in `source/`: the fields of its front matter and its blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

HOSPITAL = "Larkfield General Hospital"
NOTICE = "Fictional sample document. Not for use in care."
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True)
class Span:
    """A stretch of text of one look."""

    text: str
    italic: bool = False


@dataclass(frozen=True)
class Heading:
    """A numbered heading; level 2 is the highest below the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    spans: tuple[Span, ...]


@dataclass(frozen=True)
class ItemList:
    """A list, its items numbered or bulleted."""

    ordered: bool
    items: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first row is the header."""

    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | ItemList | Table


@dataclass(frozen=True)
class Policy:
    """One policy; `body` is its Markdown without the front matter."""

    fields: dict[str, str]
    body: str
    blocks: tuple[Block, ...]

    @property
    def file(self) -> str:
        """Where the finished file stands below `samples/`."""
        return self.fields["file"]

    @property
    def name(self) -> str:
        """Number and title, as they are quoted elsewhere."""
        return f"{self.fields['number']} {self.fields['title']}"

    @property
    def status(self) -> str:
        """What sets this file apart from a policy in force; empty for one in force."""
        return self.fields.get("status", "")

    def header(self) -> list[tuple[str, str]]:
        """The lines of the table below the title."""
        lines = [
            ("Policy number", self.fields["number"]),
            ("Version", self.fields["version"]),
            ("Owner", self.fields["owner"]),
            ("Approved by", self.fields["approved_by"]),
            ("Applies to", self.fields["applies_to"]),
            ("Effective date", in_words(self.fields["effective"])),
            ("Next review", in_words(self.fields["review"])),
            ("Supersedes", self.fields["supersedes"]),
        ]
        return [*lines, ("Status", self.status)] if self.status else lines


def in_words(value: str) -> str:
    """Write an ISO date as `1 March 2026`; other text stays as it is."""
    if not _ISO_DATE.match(value):
        return value
    day = date.fromisoformat(value)
    return f"{day.day} {day:%B %Y}"


def read(path: Path) -> Policy:
    """Read one source file."""
    _, front, body = path.read_text("utf-8").split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in front.splitlines())
    reader = MarkdownIt("commonmark").enable("table")
    return Policy(fields, body.strip() + "\n", tuple(_blocks(reader.parse(body))))


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    items: list[tuple[Span, ...]] = []
    rows: list[list[str]] = []
    closing = [*tokens[1:], tokens[-1]]
    in_list = in_table = False
    for token, following in zip(tokens, closing, strict=True):
        match token.type:
            case "heading_open":
                yield Heading(int(token.tag[1]), following.content)
            case "bullet_list_open" | "ordered_list_open":
                in_list, items = True, []
            case "bullet_list_close" | "ordered_list_close":
                in_list = False
                yield ItemList(token.type.startswith("ordered"), tuple(items))
            case "table_open":
                in_table, rows = True, []
            case "tr_open":
                rows.append([])
            case "table_close":
                in_table = False
                yield Table(tuple(map(tuple, rows)))
            case "paragraph_open" if not in_list:
                yield Paragraph(_spans(following))
            case "inline" if in_table:
                rows[-1].append(token.content)
            case "inline" if in_list:
                items.append(_spans(token))


def _spans(inline: Token) -> tuple[Span, ...]:
    """Split inline text into upright and italic stretches."""
    children = inline.children or []
    before = [None, *children]
    spans = []
    for previous, child in pairwise(before):
        if child is not None and child.type in ("text", "softbreak"):
            italic = previous is not None and previous.type == "em_open"
            spans.append(Span(child.content or " ", italic))
    return tuple(spans)
