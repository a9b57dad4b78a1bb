import pytest

from ingest.parse.lines import (
    could_be_heading,
    is_contents_entry,
    is_upper_case,
    list_marker,
    number_depth,
    with_plain_marker,
)


@pytest.mark.parametrize(
    ("line", "marker"),
    [
        ("• Wash", "• "),
        ("- Wash", "- "),
        ("o Wash", "o "),
        ("1. Wash", "1. "),
        ("(a) Wash", "(a) "),
        ("iv) Wash", "iv) "),
        ("Wash - dry", None),
        ("1.5 litres", None),
        ("-5 degrees", None),
        ("2024 was", None),
    ],
)
def test_list_items_show_their_marker(line: str, marker: str | None) -> None:
    """Bullets, numbers and letters mark an item; figures and dashes in a sentence do not."""
    assert list_marker(line) == marker


def test_every_bullet_is_written_as_a_dash() -> None:
    """The shape of a bullet says nothing; a number does."""
    assert with_plain_marker("▪ Wash") == "- Wash"
    assert with_plain_marker("2) Wash") == "2) Wash"


@pytest.mark.parametrize(
    ("line", "depth"),
    [
        ("2. Scope", 1),
        ("2.1 Staff", 2),
        ("Section 3 Duties", 1),
        ("IV. Policy", 1),
        ("A. Purpose", 1),
        ("A patient falls", 0),
        ("Scope", 0),
    ],
)
def test_the_number_of_a_heading_tells_its_depth(line: str, depth: int) -> None:
    """Dots count; a word that is a letter does not."""
    assert number_depth(line) == depth


def test_a_heading_is_short_and_does_not_end_as_a_sentence() -> None:
    """Sentences, long lines and figures are no headings."""
    assert could_be_heading("Sharps injury: first aid")
    assert not could_be_heading("Wash the wound.")
    assert not could_be_heading("word " * 30)
    assert not could_be_heading("12 / 3")


def test_contents_entries_are_told_by_their_dots() -> None:
    """Dots that lead to a page number are no text."""
    assert is_contents_entry("1. Purpose ........ 3")
    assert is_contents_entry("1. Purpose . . . . . 3")
    assert not is_contents_entry("Wait... then wash")


def test_capitals_need_four_letters() -> None:
    """An abbreviation alone is no heading in capitals."""
    assert is_upper_case("FIRST AID")
    assert not is_upper_case("PPE")
