"""Pieces that several parsers write in the same way: Markdown tables, pages' texts, the verdict."""

from collections.abc import Iterable, Sequence

from ingest.clean import HIDDEN_CODES, clean_line
from ingest.config import IngestSettings
from ingest.document import Block, Finding, FindingKind, ParsedDocument
from ingest.errors import FileTooLarge, NoText


def pipe_table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown pipe table, its first row as header; empty if no cell holds anything."""
    kept = [[_cell(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if not kept:
        return ""
    width = max(len(row) for row in kept)
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in kept]
    lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)


def _cell(text: str) -> str:
    return clean_line(text).replace("|", "\\|")


def page_text(blocks: Iterable[Block]) -> str:
    """The text of blocks as a person reads it on one page."""
    return "\n\n".join(block.text for block in blocks)


def one_page_document(
    title: str | None,
    blocks: Sequence[Block],
    settings: IngestSettings,
    findings: Sequence[Finding] = (),
) -> ParsedDocument:
    """The document of a format that has no pages; raises NoText and FileTooLarge."""
    check_text(blocks, settings)
    return ParsedDocument(
        title=title,
        blocks=tuple(blocks),
        page_count=1,
        page_texts=(page_text(blocks),),
        findings=tuple(findings),
    )


def code_findings(text: str) -> tuple[Finding, ...]:
    """Whether codes without a shape were left out of a text, and how many."""
    count = len(HIDDEN_CODES.findall(text))
    why = "codes without a shape (Unicode tags, marks that turn the reading order)"
    return hidden_findings(count, why)


def hidden_findings(count: int, why: str, page: int = 1) -> tuple[Finding, ...]:
    """What to say of so many characters of a page that were left out, if there were any."""
    if not count:
        return ()
    what = (
        "1 character that nobody can see was"
        if count == 1
        else (f"{count:,} characters that nobody can see were")
    )
    return (Finding(FindingKind.HIDDEN, page, f"{what} left out: {why}.", count),)


def check_text(blocks: Sequence[Block], settings: IngestSettings) -> None:
    """Refuse a document that says nothing, or more than fits; raises NoText and FileTooLarge."""
    if not any(char.isalnum() for block in blocks for char in block.text):
        raise NoText(
            "The file holds no text.", "Check that it is the right file and that it is complete."
        )
    if sum(len(block.text) for block in blocks) > settings.max_text_chars:
        raise FileTooLarge(
            f"The file holds more than {settings.max_text_chars:,} characters of text.",
            "Split it into several documents.",
        )
