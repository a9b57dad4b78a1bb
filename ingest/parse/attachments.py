"""A mail and what is attached to it as one document: each attachment is a page of its own."""

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ingest.clean import clean_line
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, Finding, FindingKind, ParsedDocument
from ingest.errors import NoText, RefusedFile
from ingest.kinds import BY_LIBREOFFICE, EML, MODULES, MSG
from ingest.parse.markup import check_text, page_text
from ingest.parse.titles import stated_title
from ingest.source import inspect


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken apart. head: From, To and Date as they are shown; attached: names and bytes.

    unread: why its own text is not among the body; empty if it is.
    """

    subject: str
    head: Sequence[str]
    body: Sequence[Block]
    attached: Sequence[tuple[str, bytes]]
    unread: str = ""


def mail_document(mail: Mail, settings: IngestSettings) -> ParsedDocument:
    """Page 1 is the mail, each further page an attachment; raises NoText and FileTooLarge."""
    subject = clean_line(mail.subject)
    head = " · ".join(filter(None, map(clean_line, mail.head)))
    first = [Block(BlockKind.HEADING, subject, 1, 1)] if subject else []
    first += [Block(BlockKind.PARAGRAPH, head, 1)] if head else []
    pages = [[*first, *(_on(block, 1) for block in mail.body)]]
    findings = [Finding(FindingKind.ATTACHMENT, 1, mail.unread, 1)] if mail.unread else []
    for name, content in mail.attached[: settings.max_attachments]:
        read, found = _read(clean_line(name) or "unnamed", content, len(pages) + 1, settings)
        findings += found
        pages += [read] if read else []
    beyond = len(mail.attached) - settings.max_attachments
    if beyond > 0:
        words = f"The mail has {beyond} more attachments than are read; load them on their own."
        findings.append(Finding(FindingKind.ATTACHMENT, 1, words, beyond))
    blocks = [block for page in pages for block in page]
    if mail.unread and len(blocks) == len(first):
        raise NoText(mail.unread, "Open it in Outlook, set its format to HTML and save it again.")
    check_text(blocks[len(first) :], settings)
    return ParsedDocument(
        title=stated_title(subject),
        blocks=tuple(blocks),
        page_count=len(pages),
        page_texts=tuple(map(page_text, pages)),
        findings=tuple(findings),
    )


def _read(
    name: str, content: bytes, page: int, settings: IngestSettings
) -> tuple[list[Block], list[Finding]]:
    """The blocks of one attachment, all on its page; none, and why, if it is not read."""
    try:
        media_type = inspect(name, content, settings).media_type
        if media_type in (EML, MSG):
            return [], [_unread(name, "Mail inside a mail is not read; load it on its own.")]
        if media_type in BY_LIBREOFFICE:
            words = f"It is {BY_LIBREOFFICE[media_type]}, not read in a mail; load it on its own."
            return [], [_unread(name, words)]
        document = importlib.import_module(MODULES[media_type]).parse(content, settings)
    except RefusedFile as refusal:
        return [], [_unread(name, f"{refusal.message} {refusal.hint}")]
    heading = Block(BlockKind.HEADING, f"Attachment: {name}", page, 1)
    blocks = [_on(_lower(block), page) for block in document.blocks]
    return [heading, *blocks] if blocks else [], list(_found(name, document, page, not blocks))


def _found(name: str, document: ParsedDocument, page: int, empty: bool) -> Iterable[Finding]:
    """What was found in an attachment, under its name."""
    if document.pages_without_text:
        count = len(document.pages_without_text)
        words = "It has pages that are pictures, which were not read; load it on its own."
        yield replace(_unread(name, words), page=1 if empty else page, count=count)
    for found in document.findings:
        words = f"Attachment {name}: {found.detail}"
        yield replace(found, page=1 if empty else page, detail=words)


def _unread(name: str, why: str) -> Finding:
    return Finding(FindingKind.ATTACHMENT, 1, f"Attachment {name}: {why}", 1)


def _on(block: Block, page: int) -> Block:
    return replace(block, page=page, page_to=0)


def _lower(block: Block) -> Block:
    """The same block, one level below the attachment's own heading if it is a heading."""
    is_heading = block.kind is BlockKind.HEADING
    return replace(block, level=min(block.level + 1, 9)) if is_heading else block
