"""A process of its own: reads a scan, keeps the pages, and is killed once some are kept.

Arguments: the data directory with the record, the file, its digest, its pages, how many to keep.
"""

import os
import signal
import sys
from pathlib import Path

from governance.config import GovernanceSettings
from governance.page_scans import PageScans
from governance.record.database import open_record
from ingest.config import IngestSettings
from ingest.document import ScanLine
from ingest.ocr import scan_document
from ingest.scan_memory import ScanMemory


class Dying(ScanMemory):
    """Keeps so many pages and dies by SIGKILL."""

    lives = 0

    def keep(self, page: int, lines: tuple[ScanLine, ...]) -> None:
        """Remember a page, the last one before the end."""
        super().keep(page, lines)
        self.lives -= 1
        if not self.lives:
            os.kill(os.getpid(), signal.SIGKILL)


def main(data_dir: str, path: str, digest: str, pages: str, lives: str) -> None:
    """Read on until the end comes."""
    settings = IngestSettings()
    record = open_record(GovernanceSettings(data_dir=Path(data_dir)))
    memory = Dying(PageScans(record), digest, settings)
    memory.lives = int(lives)
    scan_document(Path(path), range(1, int(pages) + 1), settings, keeper=memory)


if __name__ == "__main__":
    main(*sys.argv[1:])
