"""Words on scanned pages are marked where they stand, however the page lay on the glass."""

from collections.abc import Sequence

import pytest

from ingest.document import ScanLine
from ingest.quotes import Finder, Quote
from ingest.scan_marks import Edges, ScanText

PAGE = 400.0, 600.0
LINES = (
    "Wash the wound at once with soap and water.",
    "Tell the nurse in charge within 2 hours.",
)


def scan(texts: Sequence[str], quarters: int = 0) -> list[ScanLine]:
    """Lines 300 points wide and 10 high, read after so many quarter turns to the left."""
    width, height = PAGE
    lines = []
    for row, text in enumerate(texts):
        left, top, right, bottom = place = (40.0, 50.0 + 20 * row, 340.0, 60.0 + 20 * row)
        box: Edges = place
        if quarters == 1:
            box = (width - bottom, left, width - top, right)
        elif quarters == 2:
            box = (width - right, height - bottom, width - left, height - top)
        elif quarters == 3:
            box = (top, height - right, bottom, height - left)
        lines.append(ScanLine(text, 0.99, box, place))
    return lines


def found(quote: str, quarters: int = 0) -> list[Edges]:
    text = ScanText(scan(LINES, quarters), *PAGE)
    (span,) = Finder(text.chars).find(Quote(quote))
    return list(text.boxes(*span))


def test_a_whole_line_has_its_box() -> None:
    """And no part of the line after it."""
    assert found(LINES[1]) == [(40.0, 70.0, 340.0, 80.0)]


def test_a_part_of_a_line_is_found_by_its_characters() -> None:
    """The last words of the line stand at its right end, in proportion."""
    ((left, top, right, bottom),) = found("soap and water.")
    share = len("soap and water.") / len(LINES[0])
    assert (top, right, bottom) == (50.0, pytest.approx(340.0), 60.0)
    assert left == pytest.approx(340 - 300 * share, abs=12)


def test_a_quote_over_two_lines_has_two_boxes() -> None:
    """From its first word to the end of the line, and from the beginning of the next."""
    first, second = found("soap and water. Tell the nurse")
    assert (first[2], second[0]) == (pytest.approx(340.0), 40.0)
    assert (first[1], second[1]) == (50.0, 70.0)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_is_marked_as_it_is_shown(quarters: int) -> None:
    """The same words, turned back: at the same share of the line, along the way it runs."""
    ((left, top, right, bottom),) = found("soap and water.")
    width, height = PAGE
    wanted = {
        1: (width - bottom, left, width - top, right),
        2: (width - right, height - bottom, width - left, height - top),
        3: (top, height - right, bottom, height - left),
    }
    assert found("soap and water.", quarters) == [pytest.approx(wanted[quarters])]


def test_what_was_hardly_read_is_not_marked() -> None:
    """A line that is more likely wrong is not in the text that is quoted, either."""
    line = ScanLine("Wash the wound at once", 0.3, (1.0, 1.0, 9.0, 2.0), (1.0, 1.0, 9.0, 2.0))
    assert ScanText([line], *PAGE).chars == []
