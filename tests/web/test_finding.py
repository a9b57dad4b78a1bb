"""Words are found in the pages of a document as a reader types them."""

import pytest

from web.finding import MOST_HITS, Hit, find_words, line_of

PAGES = (
    "Multi-dose vials are kept cold.\n\nThe café's re-\nfrigerator is not for medicines.",
    "Give 0.5 mg at most. A VIAL that is cloudy is thrown away: vial by vial.",
    "| Place | Range |\n| --- | --- |\n| Freezer | -25 °C |\n\nPut the vials there at night.",
)


def found(words: str) -> list[tuple[int, str]]:
    """Page and words of each hit."""
    return [
        (hit.page, " ".join(PAGES[hit.page - 1][start:end] for start, end in hit.spans))
        for hit in find_words(PAGES, words)
    ]


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("multidose", [(1, "Multi-dose")]),
        ("Multi dose", [(1, "Multi-dose")]),
        ("CAFE", [(1, "café")]),
        ("refrigerator", [(1, "re-\nfrigerator")]),
        ("vial", [(1, "vial"), (2, "VIAL"), (2, "vial"), (2, "vial"), (3, "vial")]),
        ("ial", []),
        ("freezer", [(3, "Freezer")]),
        ("cold vials", [(1, "vials cold")]),
        ("vials moon", []),
        ("...", []),
        ("", []),
    ],
)
def test_words_are_found_whatever_case_accents_and_hyphens(
    words: str, hits: list[tuple[int, str]]
) -> None:
    """As they stand together; else the paragraphs that have all of them."""
    assert sorted(found(words)) == sorted(hits)


def test_hits_are_bounded() -> None:
    """However often a word stands there."""
    assert len(find_words(["vial " * 1000], "vial")) == MOST_HITS
    assert len(find_words(["a vial b\n\n"] * 1000, "b vial")) == MOST_HITS


def test_a_hit_is_shown_in_its_line() -> None:
    """With some words around it and no more than its paragraph."""
    text = f"Before.\n\n{'many words ' * 20}the vial {'and more ' * 20}.\n\nAfter."
    (hit,) = find_words([text], "vial")
    line = line_of(text, hit)
    said = "".join(piece.text for piece in line)
    assert [piece.text for piece in line if piece.marked] == ["vial"]
    assert said.startswith("… ")
    assert said.endswith(" …")
    assert len(said) < 200
    assert "Before" not in said


def test_a_hit_in_a_table_is_shown_without_its_bars() -> None:
    """As a line that can be read."""
    line = line_of(PAGES[2], Hit(3, ((33, 40),)))
    assert "---" not in "".join(piece.text for piece in line)
