from collections.abc import Callable, Sequence

import pytest

from ingest.parse.pdf_columns import columns_in_order
from ingest.parse.pdf_lines import Line

LEFT = (
    "Wash your hands before each",
    "contact with a patient and",
    "after it, as well as when",
    "they are soiled; use water",
    "and soap if they are so, and",
    "dry them with care.",
)
RIGHT = (
    "Visitors come from two to six",
    "and leave their coats at the",
    "door of the ward, where a",
    "nurse tells them what they",
    "must know of the rules and",
    "gives them an apron.",
)
THIRD = (
    "Sharps go into the yellow bin",
    "at once and are not put back",
    "into their sleeves by hand,",
    "nor passed from one hand to",
    "another; the bin is closed at",
    "three quarters full.",
)


def line(text: str, left: float, row: int, top: float = 100.0) -> Line:
    """A line of ten points, five for each character."""
    return Line(text, 1, left, left + 5.0 * len(text), top + 12.0 * row, 10.0)


def rows(*columns: Sequence[str], width: float = 170.0, top: float = 100.0) -> list[list[Line]]:
    """What stands side by side, row by row."""
    return [
        [line(text, 50 + width * place, row, top) for place, text in enumerate(texts)]
        for row, texts in enumerate(zip(*columns, strict=True))
    ]


def texts(lines: Sequence[Line]) -> list[str]:
    return [one.text for one in lines]


def alone(one: Line) -> Sequence[Line]:
    """The parts of a line that no wide space parts."""
    return [one]


def read(lines: Sequence[Line], parts: Callable[[Line], Sequence[Line]] = alone) -> list[str]:
    return texts(columns_in_order(lines, parts))


def flat(parted: Sequence[Sequence[Line]]) -> list[Line]:
    return [one for row in parted for one in row]


def test_two_columns_are_read_one_after_the_other() -> None:
    """Lines that came row by row come column by column."""
    assert read(flat(rows(LEFT, RIGHT))) == [*LEFT, *RIGHT]


def test_three_columns_are_read_one_after_the_other() -> None:
    """Each gutter is found, one inside the other."""
    assert read(flat(rows(LEFT, RIGHT, THIRD))) == [*LEFT, *RIGHT, *THIRD]


def test_lines_that_run_over_the_gutter_are_cut_there() -> None:
    """One line with half a sentence of each column becomes two, and keeps its hyphen at its end."""
    parted = rows(LEFT, RIGHT)
    merged = [Line(f"{a.text} {b.text}", 1, a.left, b.right, a.y, 10.0) for a, b in parted]
    found = dict(zip(map(id, merged), parted, strict=True))
    assert read(merged, lambda one: found[id(one)]) == [*LEFT, *RIGHT]


def test_a_heading_over_the_columns_stays_before_them() -> None:
    """And one between two parts of a page parts them."""
    heads = [
        line("A heading that goes over all of the page " * 2, 50, -2, top) for top in (100, 300)
    ]
    lines = [heads[0], *flat(rows(LEFT, RIGHT)), heads[1], *flat(rows(RIGHT, THIRD, top=300.0))]
    wanted = [heads[0].text, *LEFT, *RIGHT, heads[1].text, *RIGHT, *THIRD]
    assert read(lines) == wanted


def test_a_longer_column_is_not_broken_off() -> None:
    """What goes on in the left column below the end of the right one still comes before it."""
    more = [line(text, 50, 6 + row) for row, text in enumerate(THIRD)]
    assert read([*flat(rows(LEFT, RIGHT)), *more]) == [*LEFT, *THIRD, *RIGHT]


FORM = [
    ["Name", "Ward"],
    ["Surname", "Floor"],
    ["Born on", "Room"],
    ["Phone", "Bed"],
    ["Address of the patient", "Bay"],
    ["Kin", "Side"],
]
TABLE = [
    ["Bin for sharp things", "Yellow and closed"],
    ["Bin for clean paper", "Black and open"],
    ["Bag for used linen", "White and tied"],
    ["Bag for soiled linen", "Red and tied"],
    ["Box for batteries", "Green and small"],
    ["Box for medicines", "Blue and locked"],
]


@pytest.mark.parametrize("cells", [FORM, TABLE], ids=["form", "table"])
def test_a_form_or_a_table_is_no_text_in_columns(cells: list[list[str]]) -> None:
    """Labels beside values, and short cells, stay in rows."""
    lines = flat(rows(*zip(*cells, strict=True), width=200.0))
    assert read(lines) == texts(lines)


def test_what_comes_cell_by_cell_stays() -> None:
    """Two cells of several lines each, one after the other, are left as they are."""
    cells = rows(LEFT, RIGHT)
    lines = [row[side] for start in (0, 3) for side in (0, 1) for row in cells[start : start + 3]]
    assert read(lines) == texts(lines)


def test_columns_that_come_in_order_stay() -> None:
    """Most files give their columns one after the other."""
    lines = [*(row[0] for row in rows(LEFT, RIGHT)), *(row[1] for row in rows(LEFT, RIGHT))]
    assert columns_in_order(lines, alone) == lines


def test_text_with_wide_spaces_is_one_column() -> None:
    """Spaces that do not stand under each other make no gutter."""
    parted = [
        [line(text[:at], 50, row), line(text[at:], 70 + 5 * at, row)]
        for row, (text, at) in enumerate(zip(LEFT * 2, (3, 9, 14, 5, 11, 17) * 2, strict=True))
    ]
    merged = [Line(f"{a.text} {b.text}", 1, a.left, b.right, a.y, 10.0) for a, b in parted]
    found = dict(zip(map(id, merged), parted, strict=True))
    assert columns_in_order(merged, lambda one: found[id(one)]) == merged
