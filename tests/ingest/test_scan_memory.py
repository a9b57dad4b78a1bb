"""A scan that was cut short goes on where it was, and its pages can be marked."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.handing_in import HandIns, NewFile
from governance.page_scans import PageScans
from governance.policies import PolicyStore
from governance.record.database import Record, open_record
from governance.record.intake_tables import page_scans
from ingest.config import IngestSettings
from ingest.document import ScanLine
from ingest.ocr import scan_document
from ingest.page_image import render_page
from ingest.quotes import Quote
from ingest.scan_memory import ScanMemory, lines_on

CRASHER = Path(__file__).with_name("scan_crasher.py")
TEXT = "Wash the wound at once with soap. Tell the nurse in charge."
PAGES = 3
SIZE_PT = 420.0, 140.0


def scan_pdf(pages: int) -> bytes:
    """Pages that are pictures of a line of text, at 150 dots an inch."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=SIZE_PT)
    for page in range(1, pages + 1):
        sheet = Image.new("RGB", (875, 292), "white")
        pen = ImageDraw.Draw(sheet)
        pen.text((60, 60), f"Page number {page}", "black", ImageFont.load_default(30))
        pen.text((60, 160), TEXT, "black", ImageFont.load_default(24))
        canvas.drawImage(ImageReader(sheet), 0, 0, *SIZE_PT)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan"
    path.write_bytes(scan_pdf(PAGES))
    return path


@pytest.fixture
def digest(scan: Path) -> str:
    return sha256(scan.read_bytes()).hexdigest()


@pytest.fixture
def record(tmp_path: Path, digest: str) -> Iterator[Record]:
    """A record in which a version is made of the scan."""
    settings = GovernanceSettings(data_dir=tmp_path / "data")
    settings.data_dir.mkdir()
    record = open_record(settings)
    demo = PolicyStore(record, settings).create_department(SYSTEM, "demo")
    HandIns(record).register(SYSTEM, NewFile("scan.pdf", digest, "application/pdf", 9), demo)
    yield record
    record.close()


class Counting(ScanMemory):
    """Counts the pages that are read."""

    def __init__(self, scans: PageScans, digest: str, settings: IngestSettings) -> None:
        super().__init__(scans, digest, settings)
        self.read: list[int] = []

    def keep(self, page: int, lines: tuple[ScanLine, ...]) -> None:
        """Count and remember a page."""
        self.read.append(page)
        super().keep(page, lines)


def rows(record: Record) -> list[tuple[int, object]]:
    query = select(page_scans.c.page, page_scans.c.read_at).order_by(page_scans.c.page)
    with record.read() as connection:
        return [(row.page, row.read_at) for row in connection.execute(query)]


def test_a_killed_scan_reads_no_page_twice(
    record: Record, scan: Path, digest: str, tmp_path: Path, settings: IngestSettings
) -> None:
    """Killed within a child's pages: those that were read stay, and only the last one is read."""
    killed = subprocess.run(
        [sys.executable, CRASHER, tmp_path / "data", scan, digest, str(PAGES), "2"],
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert killed.returncode == -signal.SIGKILL
    before = rows(record)
    assert [page for page, _ in before] == [1, 2]
    memory, told = Counting(PageScans(record), digest, settings), list[tuple[int, int]]()
    done = scan_document(
        scan, range(1, PAGES + 1), settings, lambda *at: told.append(at), keeper=memory
    )
    assert memory.read == [3]
    assert told == [(2, 3), (3, 3)]
    assert rows(record)[:2] == before
    assert [done.lines[page][0].text for page in (1, 2, 3)] == [
        f"Page number {page}" for page in (1, 2, 3)
    ]
    again = Counting(PageScans(record), digest, settings)
    assert scan_document(scan, range(1, PAGES + 1), settings, keeper=again).lines == done.lines
    assert again.read == []


def test_another_resolution_reads_again(
    record: Record, scan: Path, digest: str, settings: IngestSettings
) -> None:
    """What was read otherwise is not taken for what this reader sees."""
    ScanMemory(PageScans(record), digest, settings).keep(1, ())
    assert ScanMemory(PageScans(record), digest, settings).kept() == {1: ()}
    finer = replace(settings, ocr_dpi=300.0)
    assert ScanMemory(PageScans(record), digest, finer).kept() == {}


def test_cited_words_are_marked_on_the_picture_of_a_scan(
    record: Record, scan: Path, digest: str, settings: IngestSettings
) -> None:
    """The mark stands over the cited words: their ink is in it, and little of the rest."""
    scan_document(scan, [1], settings, keeper=ScanMemory(PageScans(record), digest, settings))
    start = TEXT.index("Tell the nurse")
    quote = Quote(TEXT, start, start + len("Tell the nurse"))
    lines = lines_on(PageScans(record), digest, 1)
    image = render_page(scan, 1, [quote], 150 / 72, settings, lines)
    (box,) = image.boxes
    font = ImageFont.load_default(24)
    left = 60 + font.getlength(TEXT[:start])
    right = 60 + font.getlength(TEXT[: start + len("Tell the nurse")])
    assert box.left == pytest.approx(left, abs=14)
    assert box.right == pytest.approx(right, abs=14)
    assert box.top < 160 + 8 < 160 + 20 < box.bottom < 220
    assert not render_page(scan, 1, [quote], 1.0, settings).boxes
