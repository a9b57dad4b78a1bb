import pytest

from ingest.quotes import Span, find_quotes

PAGE = "Wash  your hands with alco\x02\r\nhol-based rub. Dry them well.\r\nBin A\tSharps only"


def marked(*quotes: str) -> list[str]:
    return [PAGE[s.start : s.start + s.count] for s in find_quotes(list(PAGE), quotes)]


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Dry them well.", "Dry them well."),
        ("wash YOUR hands with alcohol-based rub.", PAGE[: PAGE.index(" Dry")]),
        ("- Dry them well.", "Dry them well."),
        ("| Bin A | Sharps only |", "Bin A\tSharps only"),
        ("hol\u00adbased rub", "hol-based rub"),
    ],
)
def test_a_quote_is_found_whatever_its_blanks_and_hyphens(quote: str, found: str) -> None:
    """Case, line ends, hyphens, list markers and table bars make no difference."""
    assert marked(quote) == [found]


def test_cells_that_stand_apart_are_found_one_by_one() -> None:
    """A table row whose cells are not neighbours on the page is still marked."""
    assert marked("| Dry them well. | Wash your hands |") == ["Dry them well.", "Wash  your hands"]


def test_the_part_of_a_quote_that_is_on_this_page_is_found() -> None:
    """A sentence that goes on over the page is marked as far as it goes."""
    quote = "Hol-based rub. Dry them well. Bin A Sharps only, and nothing else at any time."
    assert marked(quote) == ["hol-based rub. Dry them well.\r\nBin A\tSharps only"]


@pytest.mark.parametrize("quote", ["", "Not here at all, not a word of it.", "|---|", "\u200b"])
def test_what_is_not_there_is_not_marked(quote: str) -> None:
    """No quote, no mark."""
    assert marked(quote) == []


def test_the_same_quote_twice_is_one_span() -> None:
    """A place is marked once."""
    assert find_quotes(list("Wash."), ["Wash.", "wash"]) == [Span(0, 5), Span(0, 4)]
    assert find_quotes(list("Wash."), ["Wash.", "wash."]) == [Span(0, 5)]
