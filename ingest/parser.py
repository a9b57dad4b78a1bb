"""Reads one file in a short-lived child process with limits; whatever it does, we get a verdict.

Pages of a PDF that are pictures are read by OCR, and the file then a second time together with what
that gave: so headings, lists and paragraphs are found in both alike.
"""

import importlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ingest import errors
from ingest.child import (
    ChildCrashError,
    ChildLimits,
    ChildMemoryError,
    ChildTimeoutError,
    run_child,
    serve_once,
)
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, Finding, FindingKind, ParsedDocument
from ingest.kinds import BY_LIBREOFFICE, MODULES
from ingest.libreoffice import folder_of, readable
from ingest.ocr import (
    Keeper,
    OnScanned,
    ScanLines,
    findings_of,
    lines_from,
    plain,
    scan_document,
)
from ingest.source import check_libreoffice, check_size, title_of

_REFUSALS = {kind.type: kind for kind in errors.RefusedFile.__subclasses__()}
# JSON escapes a character in six bytes at most, and text is held twice: in blocks and pages.
_BYTES_PER_CHAR = 12
# Files that LibreOffice has open at once: its libraries and lists of types.
_OFFICE_FILES = 256
_SCRATCH = "lamplight-office-"
_SPLIT_IT = "Split it into several documents, or save it again from the program it came from."


def parse_file(
    path: Path,
    media_type: str,
    file_name: str,
    settings: IngestSettings,
    on_scanned: OnScanned | None = None,
    keeper: Keeper | None = None,
) -> ParsedDocument:
    """Read a file by its type from `inspect`; raises RefusedFile naming the file and the reason.

    title: the document's own, else the file's name in words. on_scanned: is told of pages read by
    OCR: how many are done, and of how many; what it raises ends the reading. keeper: keeps what
    OCR reads, so that no page is read twice.
    """
    check_size(file_name, path.stat().st_size, settings)
    check_libreoffice(file_name, media_type, settings)
    document = _read(path, media_type, file_name, settings)
    if not document.pages_without_text:
        return document
    scan = scan_document(path, document.pages_without_text, settings, on_scanned, keeper)
    if any(scan.lines.values()) or not document.blocks:
        document = _read(path, media_type, file_name, settings, scan.lines)
    found = sorted((*document.findings, *findings_of(scan)), key=lambda finding: finding.page)
    return replace(document, findings=tuple(found))


def _read(
    path: Path,
    media_type: str,
    file_name: str,
    settings: IngestSettings,
    scans: ScanLines | None = None,
) -> ParsedDocument:
    with _rooms(media_type, settings) as rooms:
        return _read_in(rooms, path, media_type, file_name, settings, scans)


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What a child may see besides its file: an installation, and a folder to write in."""

    reads: list[Path] = field(default_factory=list)
    scratch: Path | None = None


@contextmanager
def _rooms(media_type: str, settings: IngestSettings) -> Iterator[_Rooms]:
    """Nothing more for most kinds; for LibreOffice's a folder, which is gone afterwards."""
    folder = folder_of(settings) if media_type in BY_LIBREOFFICE else None
    if folder is None:
        yield _Rooms()
        return
    with tempfile.TemporaryDirectory(
        prefix="lamplight-office-", ignore_cleanup_errors=True
    ) as scratch:
        yield _Rooms(readable(folder), Path(scratch).resolve())


def _read_in(
    rooms: _Rooms,
    path: Path,
    media_type: str,
    file_name: str,
    settings: IngestSettings,
    scans: ScanLines | None,
) -> ParsedDocument:
    task = {
        "path": str(path.resolve()),
        "media_type": media_type,
        "file_name": file_name,
        "settings": asdict(settings),
        "scans": None if scans is None else plain(scans),
        "scratch": str(rooms.scratch) if rooms.scratch else None,
    }
    limits = ChildLimits(
        timeout_s=settings.parse_timeout_s,
        memory_bytes=settings.parse_memory_bytes,
        answer_bytes=_BYTES_PER_CHAR * settings.max_text_chars,
    )
    writes = []
    if rooms.scratch:
        writes = [rooms.scratch]
        limits = replace(limits, file_bytes=settings.max_file_bytes, open_files=_OFFICE_FILES)
    try:
        answer = run_child("ingest.parser", task, limits, [path, *rooms.reads], writes=writes)
    except ChildTimeoutError as error:
        raise errors.ParseTimeout(
            f"{file_name} took longer than {settings.parse_timeout_s:g} seconds to read.",
            _SPLIT_IT,
        ) from error
    except ChildMemoryError as error:
        raise errors.ParseOutOfMemory(
            f"{file_name} needs more memory to read than one file may have "
            f"({errors.in_words(settings.parse_memory_bytes)}).",
            _SPLIT_IT,
        ) from error
    except ChildCrashError as error:
        raise errors.DamagedFile(
            f"{file_name} is damaged: the program that reads it broke off.",
            "Get a fresh copy, or open it in the program it came from and save it again.",
        ) from error
    return _decoded(answer, file_name)


def _decoded(answer: bytes, file_name: str) -> ParsedDocument:
    """The document or the refusal that the child answered, each field checked again by type."""
    value = json.loads(answer)
    if "refusal" in value:
        kind, message, hint = value["refusal"]
        raise _REFUSALS.get(kind, errors.DamagedFile)(_named(str(message), file_name), str(hint))
    blocks = tuple(
        Block(BlockKind(kind), str(text), int(page), int(level), int(page_to))
        for kind, text, page, level, page_to in value["blocks"]
    )
    return ParsedDocument(
        title=str(value["title"]) if value["title"] else title_of(file_name),
        blocks=blocks,
        page_count=int(value["page_count"]),
        page_texts=tuple(map(str, value["page_texts"])),
        pages_without_text=tuple(map(int, value["pages_without_text"])),
        findings=tuple(
            Finding(FindingKind(kind), int(page), str(detail), int(count))
            for kind, page, detail, count in value["findings"]
        ),
    )


def _named(message: str, file_name: str) -> str:
    """The parser's message with the file's name in it, which parsers are not told."""
    return message if file_name in message else f"{file_name}: {message}"


def _encoded(document: ParsedDocument) -> dict[str, Any]:
    return {
        "title": document.title,
        "blocks": [
            [block.kind, block.text, block.page, block.level, block.page_to]
            for block in document.blocks
        ],
        "page_count": document.page_count,
        "page_texts": document.page_texts,
        "pages_without_text": document.pages_without_text,
        "findings": [
            [found.kind, found.page, found.detail, found.count] for found in document.findings
        ],
    }


def _work(task: dict[str, Any]) -> bytes:
    """In the child: parse, and answer with the document or with the refusal."""
    known = {one.name for one in fields(IngestSettings)}
    settings = IngestSettings(**{k: v for k, v in task["settings"].items() if k in known})
    try:
        parser = importlib.import_module(MODULES[task["media_type"]])
        content = Path(task["path"]).read_bytes()
        # Only a PDF has pages without text, and so only its parser is ever given scans.
        more: list[Any] = [] if task["scans"] is None else [lines_from(task["scans"])]
        more += [] if task["scratch"] is None else [Path(task["scratch"])]
        value = _encoded(parser.parse(content, settings, *more))
    except errors.RefusedFile as refusal:
        value = {"refusal": [refusal.type, refusal.message, refusal.hint]}
    except RecursionError:
        value = {
            "refusal": [
                errors.DamagedFile.type,
                "The file is nested too deeply to be read.",
                "Open it in the program it came from and save it again.",
            ]
        }
    return json.dumps(value).encode()


if __name__ == "__main__":
    serve_once(_work)
