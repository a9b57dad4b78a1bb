"""The viewer as a reader uses it, in a real browser, and what its print puts on paper."""

from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Browser, Page, expect

from ingest.testing import load_in_force
from web.testing import Site
from web.testing_hands import Hands

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RUN_AXE = """async () => (await axe.run(document,
    {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}))
    .violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(" ")}`)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LONG = "# Falls\n\n" + "\n\n".join(
    f"## {n} Ward {n}\n\n" + "Walk with the patient at night. " * 100 for n in range(1, 12)
)
UNCONTROLLED = "Uncontrolled copy: check the current version in Lamplight before use."


@pytest.fixture(scope="module")
def replaced(site: Site) -> str:
    """The address of a long text without pages that a newer version has replaced."""
    loader, hands = site.platform.loader, Hands(site, ExitStack(), count())
    place = site.platform.policies.department("Pharmacy")
    first = load_in_force(loader, "falls.md", LONG.encode(), place)
    hands.settle()
    newer = f"{LONG}\n\nReport it.\n".encode()
    load_in_force(loader, "falls.md", newer, place, replaces=first.document_id)
    hands.settle()
    return f"/documents/{first.document_id}/versions/1"


def texts_of(pdf: Path) -> list[str]:
    """The text of each page, its blanks as one each."""
    document = pdfium.PdfDocument(pdf)
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def test_found_words_are_stepped_through_without_javascript(browser: Browser, site: Site) -> None:
    """On a telephone: each step brings the next mark into sight, below the bar with the steps."""
    context = browser.new_context(
        base_url=site.url, java_script_enabled=False, viewport={"width": 320, "height": 640}
    )
    context.add_cookies(site.cookies("staff"))
    page = context.new_page()
    page.goto(f"/documents/{site.vials}/versions/1")
    page.get_by_label("Find in this document").fill("VIAL")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_text("places with")).to_be_visible()
    steps = page.get_by_role("navigation", name="Places in this document")
    expect(steps).to_contain_text("1 of")
    for number in (2, 3):
        steps.get_by_role("link", name="Next place").click()
        expect(steps).to_contain_text(f"{number} of")
        mark = page.locator("mark[id]")
        expect(mark).to_be_in_viewport()
        bar, box = steps.bounding_box(), mark.bounding_box()
        assert bar is not None
        assert box is not None
        assert box["y"] >= bar["y"] + bar["height"] or box["y"] + box["height"] <= bar["y"]
    steps.get_by_role("link", name="Previous place").click()
    expect(steps).to_contain_text("2 of")
    context.close()


def test_the_sources_of_an_answer_are_stepped_through(
    page: Page, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the card of one of them to the next that the answer cites in the same document."""
    hands = [one for one in site.assistant.passages if one.document_id == site.hands]
    cited = [
        next(one for one in hands if one.text.startswith(words))
        for words in ("Clean hands", "| Situation")
    ]
    monkeypatch.setattr(site.assistant, "passages", cited)
    site.assistant.gate.set()
    page.goto("/")
    page.get_by_label("Your question").fill("When are hands washed?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".lamp-checked")).to_be_visible()
    page.locator("#source-1").get_by_role("link").click()
    steps = page.get_by_role("navigation", name="Places in this document")
    expect(steps).to_contain_text("Quoted: 1 of 2")
    first = page.locator("mark[id]").inner_text()
    steps.get_by_role("link", name="Next place").click()
    expect(steps).to_contain_text("Quoted: 2 of 2")
    expect(page.locator("mark[id]")).to_be_in_viewport()
    assert page.locator("mark[id]").inner_text() != first


def test_contents_stand_open_beside_the_pages_where_there_is_room(page: Page, site: Site) -> None:
    """On a narrow screen they are folded away, and a tap opens them."""
    page.goto(f"/documents/{site.hands}/versions/1")
    link = page.get_by_role("link", name="When to clean hands")
    expect(link).to_be_visible()
    link.click()
    expect(page.locator("h3", has_text="When to clean hands")).to_be_in_viewport()
    expect(link).to_have_attribute("aria-current", "location")
    page.set_viewport_size({"width": 320, "height": 640})
    page.reload()
    expect(link).to_be_hidden()
    page.get_by_text("Contents", exact=True).click()
    expect(link).to_be_visible()


def test_each_printed_sheet_says_what_it_is(page: Page, site: Site, tmp_path: Path) -> None:
    """Number, version, since when, who printed it, and that it is an uncontrolled copy."""
    paper = tmp_path / "print.pdf"
    page.goto(f"/documents/{site.vials}/versions/1/print?as=pictures")
    page.pdf(path=paper, format="A4")
    sheets = texts_of(paper)
    assert len(sheets) == 3
    for sheet in sheets:
        assert "Number PH-014. Version 1. In force, since 1 March 2026." in sheet
        assert "by Editor Person." in sheet
        assert sheet.count(UNCONTROLLED) == 1
        assert "Sign out" not in sheet


def test_a_printed_text_has_its_words_and_no_controls(
    page: Page, site: Site, tmp_path: Path
) -> None:
    """On small paper, so that it takes several sheets."""
    paper = tmp_path / "text.pdf"
    page.goto(f"/documents/{site.hands}/versions/1/print")
    page.pdf(path=paper, width="140mm", height="120mm")
    sheets = texts_of(paper)
    assert len(sheets) > 1
    assert all(UNCONTROLLED in sheet and "Printed on" in sheet for sheet in sheets)
    said = " ".join(sheets)
    assert "Clean hands before touching a patient." in said
    assert "Soap and water" in said
    assert "Back to the document" not in said


@pytest.mark.parametrize("query", ["", "?section=s9#s9", "?find=patient&at=30#p1"])
def test_a_replaced_version_breaks_no_rule_and_fits_a_narrow_window(
    replaced: str, page: Page, query: str
) -> None:
    """With its warning, its versions, its parts and its steps."""
    page.goto(f"{replaced}{query}")
    expect(page.get_by_text("do not follow it")).to_have_count(1)
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 700})
        page.evaluate(AXE.read_text())
        assert page.evaluate(RUN_AXE) == []
        assert page.evaluate(OVERFLOW) <= 0
