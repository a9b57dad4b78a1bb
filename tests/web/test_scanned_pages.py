"""A cited scan opens with its words marked on the picture, and words are found on it."""

import os
from contextlib import ExitStack
from io import BytesIO
from itertools import count

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, expect
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from governance.record.tables import passages, versions
from ingest.testing import load_in_force
from web.testing import Site
from web.testing_hands import Hands

PICTURES = os.environ.get("LAMPLIGHT_TEST_PICTURES")
HEADING = "Sharps injuries"
LINES = (
    "Wash the wound at once with soap and water and let it",
    "bleed. Do not suck it. Tell the nurse in charge, who",
    "calls the occupational health service within 2 hours.",
    "",
    "1. Write down the name of the patient and the ward.",
    "2. Go to the emergency department after 18:30 or on",
    "Sundays, and take form IC-014 with you.",
)
CITED = "Tell the nurse in charge, who calls the occupational health service within 2 hours."
Region = tuple[int, int, int, int]


def scan_pdf() -> bytes:
    """A sheet of paper as a scanner draws it in, a little askew."""
    sheet = Image.new("RGB", (1240, 1754), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((140, 200), HEADING, "black", ImageFont.load_default(64))
    for row, line in enumerate(LINES):
        pen.text((140, 400 + 56 * row), line, "black", ImageFont.load_default(36))
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.drawImage(ImageReader(sheet.rotate(0.5, fillcolor="white")), 0, 0, *A4)
    canvas.save()
    return buffer.getvalue()


@pytest.fixture(scope="module")
def scanned(site: Site) -> str:
    """The address of a scanned policy in force."""
    place = site.platform.policies.department("Pharmacy")
    loaded = load_in_force(site.platform.loader, "sharps.pdf", scan_pdf(), place)
    Hands(site, ExitStack(), count()).settle()
    return f"/documents/{loaded.document_id}/versions/{loaded.version}"


def cited(site: Site, address: str, words: str) -> str:
    """The address of a quote in it."""
    with site.platform.record.read() as connection:
        row = connection.execute(
            select(passages.c.id, passages.c.text)
            .select_from(passages.join(versions))
            .where(versions.c.document_id == address.split("/")[2])
        ).one()
    start = row.text.index(words)
    return f"passage={row.id}&from={start}&to={start + len(words)}"


def tint(png: bytes) -> tuple[Image.Image, list[Region]]:
    """The picture, and the rows of it that are tinted, as boxes from top to bottom."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    red, blue = picture.getchannel("R"), picture.getchannel("B")
    yellow = Image.new("L", picture.size)
    yellow.putdata(
        [
            255 if b < 215 < r else 0
            for r, b in zip(red.get_flattened_data(), blue.get_flattened_data(), strict=True)
        ]
    )
    rows = [y for y in range(picture.height) if yellow.crop((0, y, picture.width, y + 1)).getbbox()]
    boxes: list[Region] = []
    for y in rows:
        found = yellow.crop((0, y, picture.width, y + 1)).getbbox()
        assert found is not None
        if boxes and boxes[-1][3] == y:
            left, top, right, _ = boxes[-1]
            boxes[-1] = (min(left, found[0]), top, max(right, found[2]), y + 1)
        else:
            boxes.append((found[0], y, found[2], y + 1))
    return picture, [box for box in boxes if box[3] - box[1] > 4]


def test_the_cited_words_are_marked_on_the_scan(site: Site, scanned: str) -> None:
    """From the middle of the second line to the end of the third, and nothing else."""
    with site.client("staff") as staff:
        query = cited(site, scanned, CITED)
        picture, boxes = tint(staff.get(f"{scanned}/pages/1.png?{query}").content)
        plain = staff.get(f"{scanned}/pages/1.png").content
    assert tint(plain)[1] == []
    scale = picture.width / 1240
    assert boxes
    top, bottom = boxes[0][1] / scale, boxes[-1][3] / scale
    assert 440 < top < 480
    assert 540 < bottom < 590


@pytest.mark.browser
def test_a_cited_scan_opens_at_its_mark(page: Page, site: Site, scanned: str) -> None:
    """The picture carries the mark; what is looked for is marked on it as well."""
    page.goto(f"{scanned}?{cited(site, scanned, CITED)}#p1")
    image = page.locator("img[src*='/pages/1.png']")
    expect(image).to_be_visible()
    assert "passage=" in (image.get_attribute("src") or "")
    if PICTURES:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=f"{PICTURES}/scan-cited.png", full_page=True)
    page.get_by_label("Find in this document").fill("form IC-014")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.locator("mark[id]")).to_be_visible()
    source = page.locator("img[src*='/pages/1.png']").get_attribute("src")
    with site.client("staff") as staff:
        picture, boxes = tint(staff.get(str(source)).content)
    assert len(boxes) == 1
    assert 700 < boxes[0][1] / (picture.width / 1240) < 760
    if PICTURES:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=f"{PICTURES}/scan-found.png", full_page=True)
