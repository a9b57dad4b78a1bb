"""Small real files, made by the programs that people make theirs with."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from ingest.config import IngestSettings

MakePdf = Callable[..., bytes]


@pytest.fixture
def settings() -> IngestSettings:
    """Limits as they are by default."""
    return IngestSettings()


@pytest.fixture
def make_pdf() -> MakePdf:
    """Builds a PDF from (style, text) pairs or rows of a table, each page with its number.

    head: a line to stand at the top of each page.
    """

    def make(
        *parts: tuple[str, str] | Sequence[Sequence[str]],
        title: str = "Hand hygiene policy",
        head: str = "",
    ) -> bytes:
        buffer = BytesIO()
        document = SimpleDocTemplate(buffer, pagesize=A4, title=title)
        story = [_flowable(part) for part in parts]
        margins = partial(_margins, head)
        document.build(story, onFirstPage=margins, onLaterPages=margins)
        return buffer.getvalue()

    return make


def _flowable(part: tuple[str, str] | Sequence[Sequence[str]]) -> Flowable:
    if isinstance(part, tuple):
        style, text = part
        return Paragraph(text, getSampleStyleSheet()[style])  # type: ignore[arg-type]
    grid = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, "black")])
    return Table([list(row) for row in part], style=grid, colWidths=140)


def _margins(head: str, canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Helvetica", 9)
    canvas.drawString(72, A4[1] - 40, head)
    canvas.drawString(72, 30, f"Page {document.page}")


@pytest.fixture
def picture_pdf() -> bytes:
    """A PDF of two pages that hold a picture each and no text."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for _ in range(2):
        canvas.drawImage(ImageReader(Image.new("RGB", (60, 80), "grey")), 0, 0, 600, 800)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The shared documents; skips where they are not to be had."""
    path = Path(os.environ.get("LAMPLIGHT_CORPUS", "../shared/data"))
    if not (path / "policies").is_dir():
        pytest.skip("the shared documents are not here: set LAMPLIGHT_CORPUS")
    return path
