"""Keeps in the record what OCR read of a file's pages, and gives it back: no page is read twice."""

import json
from dataclasses import astuple

from governance.page_scans import PageScans
from ingest.config import IngestSettings
from ingest.document import ScanLine
from ingest.ocr import lines_from

# To be changed with the models, or with how their pieces become lines: then pages are read again.
_MODELS = "PP-OCRv6 small, lines 1"


def reader_of(settings: IngestSettings) -> str:
    """What reads a page, and how: other lines come of another reader."""
    return f"{_MODELS}, {settings.ocr_dpi:g} dpi"


class ScanMemory:
    """The pages of one file, by its digest."""

    def __init__(self, scans: PageScans, digest: str, settings: IngestSettings) -> None:
        self._scans = scans
        self._digest = digest
        self._reader = reader_of(settings)

    def kept(self) -> dict[int, tuple[ScanLine, ...]]:
        """The pages that were read before."""
        found = self._scans.kept(self._digest, self._reader)
        return {page: _lines(page, lines) for page, lines in found.items()}

    def keep(self, page: int, lines: tuple[ScanLine, ...]) -> None:
        """Remember a page, durably."""
        written = json.dumps([astuple(line) for line in lines], ensure_ascii=False)
        self._scans.keep(self._digest, self._reader, page, written)


def lines_on(scans: PageScans, digest: str, page: int) -> tuple[ScanLine, ...]:
    """What OCR read on a page of a file; nothing of a page that it did not read."""
    found = scans.of_page(digest, page)
    return () if found is None else _lines(page, found)


def _lines(page: int, written: str) -> tuple[ScanLine, ...]:
    return lines_from({str(page): json.loads(written)})[page]
