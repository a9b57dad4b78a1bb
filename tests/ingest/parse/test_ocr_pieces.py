import math
from collections.abc import Sequence

import pytest

from ingest.parse.ocr_pieces import Seen, lines_of_picture, parted, seen_in

Corners = list[tuple[float, float]]


def box(left: float, top: float, right: float, bottom: float) -> Corners:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def words(*places: tuple[str, float, float]) -> Sequence[tuple[str, float, Corners]]:
    return [(text, 0.99, box(left, 0, right, 20)) for text, left, right in places]


def test_a_piece_has_the_middle_the_size_and_the_slant_of_its_box() -> None:
    """Also of a box that stands askew, whose upright hull is larger."""
    piece = seen_in("Wash", 0.9, [(10, 10), (110, 20), (108, 40), (8, 30)])
    assert (piece.x, piece.y) == (59, 25)
    assert piece.width == pytest.approx(math.hypot(100, 10))
    assert piece.slant == pytest.approx(math.atan2(10, 100))
    assert not piece.is_tall
    assert seen_in("Wash", 0.9, box(0, 0, 20, 100)).is_tall


def test_a_piece_over_a_gutter_is_parted() -> None:
    """The space between columns is wider than that between words."""
    piece = seen_in("wash hands. close bins", 0.9, box(0, 0, 220, 20))
    parts = parted(
        piece, words(("wash", 0, 45), ("hands.", 50, 100), ("close", 120, 170), ("bins", 175, 220))
    )
    assert [(part.text, part.x, part.width) for part in parts] == [
        ("wash hands.", 50, 100),
        ("close bins", 170, 100),
    ]


@pytest.mark.parametrize("told", [(), words(("other", 0, 50), ("words", 100, 150))])
def test_a_piece_without_the_places_of_its_words_is_whole(
    told: Sequence[tuple[str, float, Corners]],
) -> None:
    """Nothing is cut that was not understood, and no letter is lost."""
    piece = seen_in("wash hands", 0.9, box(0, 0, 150, 20))
    assert parted(piece, told) == [piece]


def test_what_stands_between_words_is_kept() -> None:
    """Signs that are no word go with the words before them."""
    piece = seen_in("(a) wash – close.", 0.9, box(0, 0, 200, 20))
    parts = parted(piece, words(("a", 5, 10), ("wash", 15, 60), ("close", 100, 150)))
    assert "".join(part.text for part in parts).replace(" ", "") == "(a)wash–close."


def piece(text: str, x: float, y: float, slant: float = 0.0) -> Seen:
    return Seen(text, 0.99, x, y, 200, 20, slant)


@pytest.mark.parametrize(
    ("quarters", "box"),
    [
        (0, (25, 45, 125, 55)),
        (1, (345, 25, 355, 125)),
        (2, (275, 345, 375, 355)),
        (3, (45, 275, 55, 375)),
    ],
)
def test_boxes_are_those_of_the_page_as_it_is_shown(
    quarters: int, box: tuple[float, float, float, float]
) -> None:
    """A picture of 800 by 800 dots, two to the point, turned to the left by so many quarters."""
    (line,) = lines_of_picture([piece("Wash", 150, 100)], quarters, 800, 800, 2.0)
    assert line.box == box
    assert line.place == (25, 45, 125, 55)


def test_the_slant_of_a_page_is_taken_out() -> None:
    """A sheet that was drawn in askew has rows and columns all the same."""
    slant = math.radians(3)
    drop = 400 * math.tan(slant)
    seen = [
        piece("Date", 600, 100 + drop, slant),
        piece("below", 200, 130, slant),
        piece("To", 200, 100, slant),
    ]
    lines = lines_of_picture(seen, 0, 800, 800, 1.0)
    assert [line.text for line in lines] == ["To", "Date", "below"]
    assert lines[0].place[1] == pytest.approx(lines[1].place[1], abs=1)
