"""Quotes are found in page text, words in passages."""

import pytest

from web.marks import Piece, cut, find_quote, mark_words


def mark_quote(page: str, quote: str) -> tuple[Piece, ...]:
    """The whole page in pieces."""
    return cut(page, find_quote(page, quote), 0, len(page))


def marked(pieces: tuple[Piece, ...]) -> list[str]:
    """The marked stretches."""
    return [piece.text for piece in pieces if piece.marked]


def test_a_quote_is_found_across_line_ends_and_hyphens() -> None:
    """White space and hyphenation of the page do not matter."""
    page = "Discard the multi-\ndose   vial after\n28 days. Label it."
    pieces = mark_quote(page, "Discard the multi-dose vial after 28 days")
    assert marked(pieces) == ["Discard the multi-\ndose   vial after\n28 days."]


def test_the_text_stays_as_it_was() -> None:
    """The pieces put together are the page."""
    page = "A — b. The quoted words stand here. C."
    pieces = mark_quote(page, "The quoted words stand here.")
    assert "".join(piece.text for piece in pieces) == page


def test_a_quote_over_two_pages_is_marked_sentence_by_sentence() -> None:
    """Where only a part is on this page, that part is marked."""
    page = "A long first sentence of the passage."
    quote = "A long first sentence of the passage. And one on the next page."
    assert marked(mark_quote(page, quote)) == ["A long first sentence of the passage."]


def test_a_table_row_is_found_without_its_bars() -> None:
    """Bars are no letters."""
    assert marked(mark_quote("Hands look dirty   Soap", "| Hands look dirty | Soap |")) == [
        "Hands look dirty   Soap"
    ]


def test_a_short_part_alone_is_not_marked() -> None:
    """Three letters would be found anywhere."""
    assert marked(mark_quote("Wash as needed.", "Yes, as. Something else entirely.")) == []


def test_a_short_part_counts_where_it_goes_on_from_the_one_before() -> None:
    """A table's header does not stand beside each row; a short row after another is marked."""
    head = "| Storage place | Range |\n| --- | --- |"
    page = f"{head}\n| Vaccines | 2 °C |\n| Medicine cupboard | 15 °C |\n| Bag | 8 |"
    quote = f"{head}\n| Medicine cupboard | 15 °C |\n| Bag | 8 |"
    assert marked(mark_quote(page, quote)) == [
        "Storage place | Range",
        "Medicine cupboard | 15 °C |\n| Bag | 8",
    ]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("Before. Nurses check the balance at", "Nurses check the balance at"),
        ("each change of shift. After.", "each change of shift."),
        ("Nothing of it.", None),
    ],
)
def test_a_sentence_over_two_pages_is_marked_on_both(page: str, found: str | None) -> None:
    """Its beginning at the end of one, its end at the beginning of the other."""
    quote = "Nurses check the balance at each change of shift."
    assert marked(mark_quote(page, quote)) == ([found] if found else [])


def test_a_mark_takes_the_stop_that_closes_it() -> None:
    """And the quotation mark before it."""
    page = 'Label them "Quarantine". Then call.'
    assert marked(mark_quote(page, 'Label them "Quarantine".')) == ['Label them "Quarantine".']


def test_a_mark_that_runs_on_opens_and_closes_once() -> None:
    """Whoever listens hears once that a quote begins."""
    page = "Wash your hands.\n\nDry your hands."
    spans = find_quote(page, page)
    one, other = cut(page, spans, 0, 16)[0], cut(page, spans, 18, len(page))[0]
    assert (one.first, one.opens, one.closes) == (True, True, False)
    assert (other.first, other.opens, other.closes) == (False, False, True)


def test_words_are_marked_with_their_endings_and_small_words_are_not() -> None:
    """`vial` finds `vials`; `the` finds nothing."""
    assert marked(mark_words("The vials and the vial.", "the vial")) == ["vials", "vial"]


def test_letters_that_grow_when_folded_keep_their_places() -> None:
    """The German sharp s is two letters when folded."""
    assert marked(mark_quote("Maße und Gewichte prüfen", "Gewichte prüfen")) == ["Gewichte prüfen"]
