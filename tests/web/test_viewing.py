"""What of a document is shown at once: pages, slides, or parts of one long text."""

import pytest

from web.contents import Entry
from web.viewing import PART_CHARS, is_paged, leaf_at, leaves_of, window

PDF = "application/pdf"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
BLOCK = "Walk with the patient. " * 40


def test_the_pages_of_a_pdf_are_its_leaves() -> None:
    """However long their texts are."""
    leaves = leaves_of(["a", "b" * 3 * PART_CHARS], [], PDF)
    assert [leaf.name for leaf in leaves] == ["Page 1 of 2", "Page 2 of 2"]
    assert is_paged(leaves)


def test_slides_are_called_slides() -> None:
    """And mail and anything else has parts."""
    assert [one.name for one in leaves_of(["a", "b"], [], SLIDES)] == [
        "Slide 1 of 2",
        "Slide 2 of 2",
    ]
    assert leaves_of(["a", "b"], [], "message/rfc822")[1].name == "Part 2 of 2"


def test_a_short_text_is_one_part() -> None:
    """With nothing to turn to."""
    (leaf,) = leaves_of(["Short."], [], "text/plain")
    assert (leaf.name, leaf.start, leaf.end) == ("Text", 0, 6)
    assert not is_paged((leaf,))
    assert [one.name for one in leaves_of([], [], "text/plain")] == ["Text"]


def test_a_long_text_is_cut_where_a_section_begins() -> None:
    """Each letter is in one part, and a part is named by its first heading."""
    sections = [f"{n} Section\n\n" + "\n\n".join([BLOCK] * 8) for n in range(1, 9)]
    text = "\n\n".join(sections)
    entries = [
        Entry(f"s{n}", 1, f"{n} Section", 1, text.index(f"{n} Section")) for n in range(1, 9)
    ]
    leaves = leaves_of([text], entries, "text/markdown")
    assert 2 < len(leaves) < 8
    assert "".join(text[leaf.start : leaf.end] for leaf in leaves) == text
    assert all(leaf.title.endswith("Section") for leaf in leaves)
    assert not is_paged(leaves)


def test_a_long_text_without_headings_is_cut_between_two_blocks() -> None:
    """No part is much longer than the others."""
    text = "\n\n".join([BLOCK] * 60)
    leaves = leaves_of([text], [], "text/plain")
    assert all(leaf.end - leaf.start <= PART_CHARS + len(BLOCK) + 2 for leaf in leaves)
    assert all(text[leaf.start :].startswith("Walk") for leaf in leaves)


def test_a_line_that_announces_what_follows_stays_with_it() -> None:
    """A part does not end with a heading that the reader did not know as one."""
    text = "\n\n".join(["What you can expect", BLOCK.strip()] * 60)
    leaves = leaves_of([text], [], "text/plain")
    assert len(leaves) > 2
    assert all(text[leaf.start :].startswith("What") for leaf in leaves)


@pytest.mark.parametrize(("place", "number"), [((1, 0), 1), ((1, 9), 1), ((2, 5), 2), ((9, 9), 2)])
def test_a_place_is_on_one_leaf(place: tuple[int, int], number: int) -> None:
    """Also one that is nowhere."""
    assert leaf_at(leaves_of(["a", "b"], [], PDF), *place).number == number


def test_parts_are_shown_one_by_one() -> None:
    """Even of a text with few of them."""
    assert window(4, 2, 2, 0, short=1) == (2, 2)
    assert window(4, 2, 3, 0, short=1) == (2, 3)
