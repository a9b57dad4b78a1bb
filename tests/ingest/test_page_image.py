from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from ingest.config import IngestSettings
from ingest.errors import DamagedFile
from ingest.page_image import Box, merged, render_page

SENTENCE = "Never recap a used needle."


@pytest.fixture
def policy(tmp_path: Path, make_pdf: Callable[..., bytes]) -> Path:
    path = tmp_path / "sharps.pdf"
    path.write_bytes(make_pdf(("Normal", "Sharps go into the bin. " * 12 + SENTENCE)))
    return path


def test_a_page_is_drawn_at_its_scale(policy: Path) -> None:
    """Without quotes the picture is the page, 72 dots an inch at scale 1."""
    image = render_page(policy, 1, scale=1.0)
    assert (image.width_px, image.height_px) == pytest.approx((595, 842), abs=1)
    assert image.boxes == ()
    assert Image.open(BytesIO(image.png)).size == (image.width_px, image.height_px)


def test_quoted_words_are_marked_and_stay_readable(policy: Path) -> None:
    """The mark is a tint with an outline around it, and the letters in it are still black."""
    image = render_page(policy, 1, [SENTENCE], scale=2.0)
    assert image.boxes
    box = image.boxes[0]
    picture = Image.open(BytesIO(image.png))
    inside = picture.crop((box.left + 1, box.top + 1, box.right - 1, box.bottom - 1))
    darkest = min(sum(pixel) for pixel in inside.get_flattened_data())
    tinted = [pixel for pixel in inside.get_flattened_data() if pixel[2] < 140 < pixel[0]]
    assert darkest < 120
    assert len(tinted) > inside.width * inside.height / 3
    assert sum(picture.getpixel((box.left, box.top))) < 300


def test_words_not_on_the_page_are_not_marked(policy: Path) -> None:
    """A quote from elsewhere changes nothing."""
    assert render_page(policy, 1, ["Visitors come at two."]).boxes == ()


def test_a_turned_page_is_marked_in_the_right_place(tmp_path: Path) -> None:
    """On a page shown on its side the boxes follow the words."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(400, 600))
    canvas.setPageRotation(90)
    canvas.drawString(50, 350, SENTENCE)  # turning swaps the sides: 600 wide, 400 high
    canvas.save()
    path = tmp_path / "turned.pdf"
    path.write_bytes(buffer.getvalue())
    image = render_page(path, 1, [SENTENCE], scale=1.0)
    (box,) = image.boxes
    assert (image.width_px, image.height_px) == (400, 600)
    assert box.left > 300
    assert box.bottom - box.top > 100


def test_a_huge_page_is_drawn_smaller(tmp_path: Path) -> None:
    """The number of pixels is bounded, whatever size the page claims."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(14_000, 14_000))
    canvas.drawString(50, 50, SENTENCE)
    canvas.save()
    path = tmp_path / "huge.pdf"
    path.write_bytes(buffer.getvalue())
    image = render_page(path, 1, scale=2.0, settings=IngestSettings(max_image_pixels=1_000_000))
    assert image.width_px * image.height_px <= 1_010_000


@pytest.mark.parametrize("page", [0, 2, 10**6])
def test_a_page_that_is_not_there_is_refused(policy: Path, page: int) -> None:
    """Page numbers count from 1 to the last."""
    with pytest.raises(DamagedFile, match=f"Page {page} cannot be shown"):
        render_page(policy, page)


def test_what_is_no_pdf_is_refused(tmp_path: Path) -> None:
    """Broken bytes end in a clear error and not in a crash."""
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.7 nothing follows")
    with pytest.raises(DamagedFile):
        render_page(path, 1)


def test_boxes_side_by_side_become_one() -> None:
    """A word in italics does not cut its line's box in three; the next line has its own."""
    line = [Box(0, 0, 50, 20), Box(52, 1, 90, 19), Box(92, 0, 99, 20), Box(0, 24, 50, 44)]
    assert merged(line) == [Box(0, 0, 99, 20), Box(0, 24, 50, 44)]
