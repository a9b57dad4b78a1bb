"""Marked stretches are cut out of a text; search words are found in passages."""

import pytest

from web.marks import Mark, Piece, cut, layered, mark_words, marks_of

PAGE = "Wash your hands.\n\nDry your hands."


def marked(pieces: tuple[Piece, ...]) -> list[str]:
    """The marked stretches."""
    return [piece.text for piece in pieces if piece.marked]


def test_the_text_stays_as_it_was() -> None:
    """The pieces put together are the page."""
    pieces = cut(PAGE, marks_of([(5, 9), (22, 26)]), 0, len(PAGE))
    assert "".join(piece.text for piece in pieces) == PAGE
    assert marked(pieces) == ["your", "your"]


def test_a_mark_that_runs_on_opens_and_closes_once() -> None:
    """Whoever listens hears once that a quote begins."""
    marks = marks_of([(0, len(PAGE))])
    one, other = cut(PAGE, marks, 0, 16)[0], cut(PAGE, marks, 18, len(PAGE))[0]
    assert (one.first, one.opens, one.closes) == (True, True, False)
    assert (other.first, other.opens, other.closes) == (False, False, True)


def test_the_first_mark_is_the_first_of_the_current_place() -> None:
    """Marks of other places before it are not what the reader came for."""
    pieces = cut(PAGE, (Mark(0, 4, current=False), Mark(5, 9), Mark(10, 15)), 0, 16)
    assert [(one.text, one.first, one.current) for one in pieces if one.marked] == [
        ("Wash", False, False),
        ("your", True, True),
        ("hands", False, True),
    ]


def test_the_current_mark_is_seen_where_two_lie_over_each_other() -> None:
    """No text is shown twice."""
    found = layered([Mark(0, 9, current=False), Mark(5, 15), Mark(18, 21, current=False)])
    assert found == (Mark(5, 15), Mark(18, 21, current=False))


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("The vials and the vial.", "the vial", ["vials", "vial"]),
        ("Labelled and labels", "label", ["labels"]),
        ("Nothing of it", "vial", []),
    ],
)
def test_words_are_marked_with_their_endings_and_small_words_are_not(
    text: str, query: str, found: list[str]
) -> None:
    """`vial` finds `vials`; `the` finds nothing."""
    assert marked(mark_words(text, query)) == found
