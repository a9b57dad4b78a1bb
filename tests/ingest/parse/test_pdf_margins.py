import pytest

from ingest.parse.pdf_lines import Line
from ingest.parse.pdf_margins import key, without_margins

HEIGHT = 800.0


def kept(*pages: list[tuple[str, float]]) -> list[list[str]]:
    lines = [
        [Line(text, number, y=y) for text, y in page] for number, page in enumerate(pages, start=1)
    ]
    return [[line.text for line in page] for page in without_margins(lines, [HEIGHT] * len(pages))]


def test_what_repeats_at_one_place_of_the_edge_is_taken_out() -> None:
    """Numbers in it may differ from page to page."""
    pages = [[(f"Policy 7, page {n} of 3", 40.0), (f"Text {n}", 400.0)] for n in (1, 2, 3)]
    assert kept(*pages) == [["Text 1"], ["Text 2"], ["Text 3"]]


def test_what_repeats_in_the_middle_stays() -> None:
    """A table's header in the middle of each page is text."""
    page = [("Bin Use", 300.0)]
    assert kept(page, page, page) == [["Bin Use"]] * 3


def test_what_stands_at_the_edge_once_stays() -> None:
    """A heading at the top of one page is no running head."""
    assert kept([("Scope", 40.0)], [("Duties", 40.0)]) == [["Scope"], ["Duties"]]


def test_page_numbers_are_taken_out_even_once() -> None:
    """One page is enough to know "Page 1 of 1", "- 3 -" and a title with the page's number."""
    foot = [("Page 1 of 1", 780.0), ("- 3 -", 790.0), ("iv", 795.0), ("Falls Page 1", 30.0)]
    assert kept([*foot, ("Text", 400.0)]) == [["Text"]]


def test_the_key_ignores_numbers_blanks_and_case() -> None:
    """Two pages' feet are the same foot."""
    assert key("Page 12 OF 30") == key("page 3 of 4")


@pytest.mark.parametrize(
    "texts",
    [
        ("Step 1", "Step 2", "Step 3"),
        ("Fire drill: step 1", "Fire drill: step 2", "Fire drill: step 3"),
        ("Dose 20 mg", "Dose 40 mg", "Dose 80 mg"),
        ("Ward in August 2019", "Ward in August 2021", "Ward in August 2024"),
        ("Fever above 38.5", "Fever above 38.6", "Fever above 38.7"),
    ],
)
def test_a_number_that_says_something_is_text(texts: tuple[str, ...]) -> None:
    """Lines that differ in what they count, measure or date are no running heads."""
    assert kept(*([(text, 40.0)] for text in texts)) == [[text] for text in texts]


@pytest.mark.parametrize(
    "foot",
    [
        "Opioid taper tool {}",
        "{} Opioid taper tool",
        "v22.4 (17.05.2022) {}/9",
        "June 2024 Page {} of 9",
        "{} of 9",
        "Bariatric toolkit | G-{}",
        "A 9-{}",
    ],
)
def test_a_number_that_grows_with_the_pages_is_the_pages(foot: str) -> None:
    """It need not begin with 1, and need not be called one."""
    pages = [[(foot.format(n), 780.0), ("Text", 400.0)] for n in (4, 5, 6)]
    assert kept(*pages) == [["Text"]] * 3


def test_the_same_date_on_each_page_is_taken_out() -> None:
    """A running foot keeps its numbers."""
    assert kept(*[[("Approved 1 May 2026", 780.0)]] * 3) == [[], [], []]


def test_a_number_in_a_row_of_its_own_is_a_page_number_at_the_very_edge_only() -> None:
    """A table's cell or a list's number near the edge of a page is text."""
    page = [("47", 795.0), ("8", 740.0), ("9)", 745.0), ("Text", 400.0)]
    assert kept(page) == [["8", "9)", "Text"]]
