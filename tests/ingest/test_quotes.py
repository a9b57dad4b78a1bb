"""Quotes are found on a page whatever its line ends and hyphens are, and where they were cited."""

import pytest

from ingest.quotes import Quote, find_quote

PAGE = "Wash  your hands with alco\x02\r\nhol-based rub. Dry them well.\r\nBin A\tSharps only"
TWICE = "On wards, call 222 at once. Then wait. In theatre, call 222 at once. Then go on."


def marked(quote: str | Quote, page: str = PAGE) -> list[str]:
    quote = quote if isinstance(quote, Quote) else Quote(quote)
    return [page[start:end] for start, end in find_quote(page, quote)]


def stretch(text: str, words: str, nth: int = 0) -> Quote:
    """The n-th place where the words stand in the text."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return Quote(text, start, start + len(words))


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Dry them well.", "Dry them well."),
        ("wash YOUR hands with alcohol-based rub.", PAGE[: PAGE.index(" Dry")]),
        ("- Dry them well.", "Dry them well."),
        ("| Bin A | Sharps only |", "Bin A\tSharps only"),
        ("hol\u00adbased rub", "hol-based rub."),
    ],
)
def test_a_quote_is_found_whatever_its_blanks_and_hyphens(quote: str, found: str) -> None:
    """Case, line ends, hyphens, list markers and table bars make no difference."""
    assert marked(quote) == [found]


def test_ligatures_and_marks_that_stand_apart_are_the_same_letters() -> None:
    """As pdfium reads them out of a page."""
    assert marked("Affix the filter firmly", "Aﬃx the ﬁlter ﬁrmly.") == ["Aﬃx the ﬁlter ﬁrmly."]


@pytest.mark.parametrize("nth", [0, 1])
def test_a_sentence_that_stands_twice_is_found_where_it_was_cited(nth: int) -> None:
    """By the words around it."""
    page = TWICE.replace(" ", "  ")
    (span,) = find_quote(page, stretch(TWICE, "call 222 at once.", nth))
    assert page[: span[0]].split()[-1] == ["wards,", "theatre,"][nth]


def test_twice_with_nothing_around_it_is_found_by_its_turn() -> None:
    """The second of two is the second of two."""
    text, page = "Call 222.\n\nCall 222.", "Call 222. 7 Call 222."
    assert find_quote(page, stretch(text, "Call 222.", 1)) == ((12, 21),)


def test_a_passage_seen_through_a_window_is_found_by_what_follows_it() -> None:
    """The page says more before it than the passage knows."""
    page = "Call 222. Go home. Ward B: Call 222. Stay there."
    assert find_quote(page, stretch("Call 222. Stay there.", "Call 222.")) == ((27, 36),)


def test_cells_that_stand_apart_are_found_one_by_one() -> None:
    """A table row whose cells are not neighbours on the page is still marked."""
    assert marked("| Dry them well. | Wash your hands |") == ["Wash  your hands", "Dry them well."]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("Before. Nurses check the balance at", ["Nurses check the balance at"]),
        ("each change of shift. After.", ["each change of shift."]),
        (
            "Nurses check the balance at\n3 a footnote\n\neach change of shift. After.",
            ["Nurses check the balance at", "each change of shift."],
        ),
        ("Nothing of it.", []),
    ],
)
def test_a_sentence_over_two_pages_is_found_on_both(page: str, found: list[str]) -> None:
    """Its beginning, its end, or both with something between them."""
    assert marked("Nurses check the balance at each change of shift.", page) == found


def test_a_short_part_counts_only_where_it_goes_on() -> None:
    """Three letters would be found anywhere."""
    assert marked("Yes, as. Something else entirely.", "Wash as needed.") == []


@pytest.mark.parametrize("quote", ["", "Not here at all, not a word of it.", "|---|", "\u200b"])
def test_what_is_not_there_is_not_marked(quote: str) -> None:
    """No quote, no mark."""
    assert marked(quote) == []
