"""Quotes are found in page text, words in passages."""

from web.marks import Piece, mark_quote, mark_words


def marked(pieces: tuple[Piece, ...]) -> list[str]:
    """The marked stretches."""
    return [piece.text for piece in pieces if piece.marked]


def test_a_quote_is_found_across_line_ends_and_hyphens() -> None:
    """White space and hyphenation of the page do not matter."""
    page = "Discard the multi-\ndose   vial after\n28 days. Label it."
    pieces = mark_quote(page, "Discard the multi-dose vial after 28 days")
    assert marked(pieces) == ["Discard the multi-\ndose   vial after\n28 days"]


def test_the_text_stays_as_it_was() -> None:
    """The pieces put together are the page."""
    page = "A — b. The quoted words stand here. C."
    pieces = mark_quote(page, "The quoted words stand here.")
    assert "".join(piece.text for piece in pieces) == page


def test_a_quote_over_two_pages_is_marked_sentence_by_sentence() -> None:
    """Where only a part is on this page, that part is marked."""
    page = "A long first sentence of the passage."
    quote = "A long first sentence of the passage. And one on the next page."
    assert marked(mark_quote(page, quote)) == ["A long first sentence of the passage"]


def test_a_table_row_is_found_without_its_bars() -> None:
    """Bars are no letters."""
    assert marked(mark_quote("Hands look dirty   Soap", "| Hands look dirty | Soap |")) == [
        "Hands look dirty   Soap"
    ]


def test_a_short_part_alone_is_not_marked() -> None:
    """Three letters would be found anywhere."""
    assert marked(mark_quote("Wash as needed.", "Yes, as. Something else entirely.")) == []


def test_words_are_marked_with_their_endings_and_small_words_are_not() -> None:
    """`vial` finds `vials`; `the` finds nothing."""
    assert marked(mark_words("The vials and the vial.", "the vial")) == ["vials", "vial"]


def test_letters_that_grow_when_folded_keep_their_places() -> None:
    """The German sharp s is two letters when folded."""
    assert marked(mark_quote("Maße und Gewichte prüfen", "Gewichte prüfen")) == ["Gewichte prüfen"]
