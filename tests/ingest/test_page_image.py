from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from ingest.config import IngestSettings
from ingest.errors import DamagedFile
from ingest.page_image import Box, PageImage, merged, render_page
from ingest.quotes import Quote

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


def drawn(tmp_path: Path, *lines: str) -> Path:
    """A page with these lines, 20 points apart, the first one 40 points from its top."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(600, 400))
    for number, line in enumerate(lines):
        canvas.drawString(50, 360 - 20 * number, line)
    canvas.save()
    path = tmp_path / "lines.pdf"
    path.write_bytes(buffer.getvalue())
    return path


def tinted(image: PageImage) -> dict[int, tuple[int, int]]:
    """The lines of such a page that are tinted, from 0, and from where to where in pixels."""
    picture = Image.open(BytesIO(image.png)).convert("RGB")
    red, blue = (picture.getchannel(name).tobytes() for name in "RB")
    found = {}
    for line in range(12):
        rows = [y * picture.width for y in (32 + 20 * line, 36 + 20 * line)]
        marked = [
            x for x in range(picture.width) for at in rows if blue[at + x] < 200 < red[at + x]
        ]
        if marked:
            found[line] = (min(marked), max(marked))
    return found


def test_t14_a_sentence_that_stands_twice_is_marked_where_it_was_cited(tmp_path: Path) -> None:
    """By the pixels of the picture: in the second place, and only its own characters."""
    first, second = f"Wards. {SENTENCE} Ask.", f"Theatres. {SENTENCE} Go."
    path = drawn(tmp_path, first, "Something else.", second)
    text = f"{first}\n\nSomething else.\n\n{second}"
    for nth, line in ((text.index(SENTENCE), 0), (text.rindex(SENTENCE), 2)):
        image = render_page(path, 1, [Quote(text, nth, nth + len(SENTENCE))], scale=1.0)
        marks = tinted(image)
        assert list(marks) == [line]
        left, right = marks[line]
        words = {0: "Wards. ", 2: "Theatres. "}[line]
        assert left == pytest.approx(50 + stringWidth(words, "Helvetica", 12), abs=4)
        assert right - left == pytest.approx(stringWidth(SENTENCE, "Helvetica", 12), abs=6)


def test_a_quote_over_two_lines_is_marked_in_both_to_its_last_letter(tmp_path: Path) -> None:
    """With a word that is cut by a hyphen at the line's end."""
    path = drawn(tmp_path, "Before it. Never put a used needle back in its con-", "tainer. After.")
    text = "Before it. Never put a used needle back in its container. After."
    quote = Quote(text, 11, text.index(" After"))
    marks = tinted(render_page(path, 1, [quote], scale=1.0))
    assert list(marks) == [0, 1]
    assert marks[0][0] == pytest.approx(50 + stringWidth("Before it. ", "Helvetica", 12), abs=4)
    assert marks[1] == pytest.approx((50, 50 + stringWidth("tainer.", "Helvetica", 12)), abs=4)


def test_the_current_of_several_marks_is_stronger(tmp_path: Path) -> None:
    """It has the darker tint; no place is marked twice."""
    path = drawn(tmp_path, SENTENCE, SENTENCE)
    text = f"{SENTENCE}\n\n{SENTENCE}"
    other = Quote(text, 0, len(SENTENCE), current=False)
    current = Quote(text, len(SENTENCE) + 2)
    image = render_page(path, 1, [other, current, other], scale=1.0)
    assert [box.current for box in image.boxes] == [False, True]
    blue = Image.open(BytesIO(image.png)).convert("RGB").getchannel("B")
    light, strong = (
        min(blue.crop((box.left + 3, box.top + 3, box.left + 4, box.top + 4)).tobytes())
        for box in image.boxes
    )
    assert light > strong


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


@pytest.mark.parametrize(
    ("drawn", "shown"), [(90, 0), (0, 90), (180, 180), (90, 180), (270, 0), (90, 270)]
)
def test_marks_lie_on_the_words_however_the_page_is_turned(
    tmp_path: Path, drawn: int, shown: int
) -> None:
    """The box holds all the ink of the quoted words, and ends where they end."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(500, 500))
    canvas.setPageRotation(shown)
    canvas.translate(250, 250)
    canvas.rotate(drawn)
    canvas.drawString(-60, 90, SENTENCE)
    canvas.drawString(-60, -90, "Visitors come at two.")
    canvas.save()
    path = tmp_path / "turned.pdf"
    path.write_bytes(buffer.getvalue())
    (box,) = render_page(path, 1, [SENTENCE], scale=1.0).boxes
    plain = Image.open(BytesIO(render_page(path, 1, scale=1.0).png)).convert("L")
    inked = _ink(plain, near=box)
    assert box.left <= inked[0] <= box.left + 6
    assert box.top <= inked[1] <= box.top + 6
    assert box.right - 6 <= inked[2] <= box.right
    assert box.bottom - 6 <= inked[3] <= box.bottom


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


def _ink(picture: Image.Image, near: Box) -> tuple[int, int, int, int]:
    """The edges of all dark pixels on and around a box, as far as a line is wide."""
    around = (near.left - 60, near.top - 60, near.right + 60, near.bottom + 60)
    dark = picture.crop(around).point(lambda level: 255 * (level < 160))
    left, top, right, bottom = dark.getbbox() or (0, 0, 0, 0)
    return left + around[0], top + around[1], right + around[0], bottom + around[1]
