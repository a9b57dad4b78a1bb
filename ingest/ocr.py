"""Reads scanned pages by OCR, a few in each child process, and says what a person should look at.

A page that breaks off its child's reading is tried once more alone; then it counts as unread, and
the pages beside it are none the worse. Each page that was read is kept at once, where there is
somebody to keep it: a reading that is cut short goes on from there.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ingest.child import (
    ChildCrashError,
    ChildLimits,
    ChildMemoryError,
    ChildTimeoutError,
    run_child,
)
from ingest.config import IngestSettings
from ingest.document import Finding, FindingKind, ScanLine

ScanLines = Mapping[int, Sequence[ScanLine]]
OnScanned = Callable[[int, int], None]
OnPage = Callable[[int, tuple[ScanLine, ...]], None]

_ANSWER_BYTES_PER_PAGE = 4 * 1024 * 1024
_BROKEN_OFF = (ChildTimeoutError, ChildMemoryError, ChildCrashError)
# After so many pages that broke off, no more of the file are tried: it is made to do that.
_MOST_BROKEN = 4
_HARD_TO_READ = 0.85


@dataclass(slots=True)
class Scan:
    """What OCR made of a document's pages.

    lines: of each page that was read. broken: pages at which reading broke off. left_out: pages
    beyond the most that are read of one document.
    """

    most_pages: int
    lines: dict[int, tuple[ScanLine, ...]] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    left_out: tuple[int, ...] = ()


class Keeper(Protocol):
    """Remembers what was read of one file."""

    def kept(self) -> ScanLines:
        """The pages that were read before."""

    def keep(self, page: int, lines: tuple[ScanLine, ...]) -> None:
        """Remember a page."""


def scan_document(
    path: Path,
    pages: Sequence[int],
    settings: IngestSettings,
    on_scanned: OnScanned | None = None,
    keeper: Keeper | None = None,
) -> Scan:
    """Read the pages of a PDF by OCR.

    on_scanned: is told, after every page, how many are done and of how many; what it raises ends
    the reading. keeper: knows the pages that were read before, which are not read again.
    """
    most = settings.ocr_max_pages
    wanted = pages[:most]
    before = keeper.kept() if keeper else {}
    known = {page: tuple(before[page]) for page in wanted if page in before}
    scan = Scan(most, lines=known, left_out=tuple(pages[most:]))

    def tell() -> None:
        if on_scanned is not None:
            on_scanned(len(scan.lines) + len(scan.broken), len(wanted))

    def take(page: int, lines: tuple[ScanLine, ...]) -> None:
        if keeper is not None:
            keeper.keep(page, lines)
        scan.lines[page] = lines
        tell()

    if known:
        tell()
    left = [page for page in wanted if page not in known]
    for batch in _batches(left, settings.ocr_pages_per_child):
        broken = len(scan.broken)
        _scan_batch(scan, path, batch, settings, take)
        if len(scan.broken) > broken:
            tell()
    # In the order of the pages, also where some were known.
    scan.lines = {page: scan.lines[page] for page in wanted if page in scan.lines}
    return scan


def _batches(pages: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (pages[start : start + size] for start in range(0, len(pages), size))


def _scan_batch(
    scan: Scan, path: Path, pages: Sequence[int], settings: IngestSettings, on_page: OnPage
) -> None:
    if len(scan.broken) >= _MOST_BROKEN:
        scan.broken.update(pages)
        return
    try:
        scan_pages(path, pages, settings, on_page)
    except _BROKEN_OFF:
        left = [page for page in pages if page not in scan.lines]
        if len(pages) == 1:
            scan.broken.update(left)
            return
        for page in left:
            _scan_batch(scan, path, [page], settings, on_page)


def scan_pages(
    path: Path, pages: Sequence[int], settings: IngestSettings, on_page: OnPage | None = None
) -> dict[int, tuple[ScanLine, ...]]:
    """What OCR sees on each page, in reading order; a page where it sees nothing has no lines.

    on_page: is given each page as soon as it is read. Raises ChildTimeoutError, ChildMemoryError,
    ChildCrashError.
    """
    found: dict[int, tuple[ScanLine, ...]] = {}

    def take(answer: bytes) -> None:
        try:
            lines = lines_from(json.loads(answer))
        except (ValueError, TypeError, AttributeError) as error:
            raise ChildCrashError from error  # it was taken over, for it answers nothing else
        for page in set(lines) & set(pages):
            found[page] = lines[page]
            if on_page is not None:
                on_page(page, lines[page])

    task = {"path": str(path.resolve()), "pages": list(pages), "dpi": settings.ocr_dpi}
    limits = ChildLimits(
        timeout_s=settings.ocr_timeout_s,
        memory_bytes=settings.ocr_memory_bytes,
        answer_bytes=_ANSWER_BYTES_PER_PAGE * len(pages),
    )
    run_child("ingest.parse.ocr", task, limits, [path], on_line=take)
    if len(found) < len(set(pages)):
        raise ChildCrashError
    return found


def lines_from(value: Mapping[str, Sequence[Any]]) -> dict[int, tuple[ScanLine, ...]]:
    """The lines out of their plain form, each field checked again by type."""
    return {
        int(number): tuple(
            ScanLine(str(text), float(score), _edges(box), _edges(place))
            for text, score, box, place in lines
        )
        for number, lines in value.items()
    }


def _edges(value: Sequence[Any]) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(float, value)
    return left, top, right, bottom


def plain(scans: ScanLines) -> dict[str, list[Any]]:
    """The lines as JSON holds them."""
    return {str(number): [astuple(line) for line in lines] for number, lines in scans.items()}


def findings_of(scan: Scan) -> Iterator[Finding]:
    """What a person should look at: every page that was read by OCR, or could not be."""
    for page, lines in scan.lines.items():
        if any(line.is_read for line in lines):
            yield _read(page, lines)
        else:
            yield _unread(page, "; OCR found no text in it")
    for page in sorted(scan.broken):
        yield _unread(page, " and was not read: reading it by OCR broke off")
    most = f"OCR reads at most {scan.most_pages:,} pages of a document, so split it into several"
    for page in scan.left_out:
        yield _unread(page, f" and was not read: {most}")


def _unread(page: int, why: str) -> Finding:
    return Finding(FindingKind.NO_TEXT, page, f"Page {page} is a picture{why}.")


def _read(page: int, lines: Sequence[ScanLine]) -> Finding:
    read = [line for line in lines if line.is_read]
    words = sum(len(line.text.split()) for line in read)
    chars = sum(len(line.text) for line in read)
    score = sum(line.score * len(line.text) for line in read) / max(chars, 1)
    said = [f"Page {page} is a picture; OCR read {_counted(words, 'word')} in it."]
    if lost := len(lines) - len(read):
        said.append(f"{_counted(lost, 'line')} could not be read.")
    if lost or score < _HARD_TO_READ:
        said.append("Check the text against the picture by eye.")
    return Finding(FindingKind.SCANNED, page, " ".join(said), words)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
