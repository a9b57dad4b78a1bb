"""The table of contents: headings from the passages, each at its place on the pages."""

from governance.policy_sections import SectionRow
from web.contents import Entry, anchors_on, entries_of, entry_at, listed, nested
from web.page_text import Anchor

PAGES = (
    "Hand hygiene\n\n1 Purpose\n\nSay why.\n\n2 Scope",
    "Everybody.\n\n2.1 Staff\n\nAll staff.\n\n2.1 Staff\n\nAgain.",
)
ROWS = [
    SectionRow(0, "Hand hygiene > 1 Purpose", 1, 1),
    SectionRow(1, "Hand hygiene > 2 Scope", 2, 2),
    SectionRow(2, "Hand hygiene > 2 Scope > 2.1 Staff", 2, 2),
    SectionRow(3, "Hand hygiene > 2 Scope > 2.1 Staff", 2, 2),
    SectionRow(4, "Hand hygiene > Not on the page", 2, 2),
]


def test_each_heading_stands_where_it_is() -> None:
    """Also at the foot of the page before its text."""
    assert entries_of(ROWS, PAGES) == (
        Entry("s1", 1, "Hand hygiene", 1, 0),
        Entry("s2", 2, "1 Purpose", 1, 14),
        Entry("s3", 2, "2 Scope", 1, 35),
        Entry("s4", 3, "2.1 Staff", 2, 12),
        Entry("s5", 2, "Not on the page", 2, None),
    )


def test_a_heading_leads_to_itself_and_not_to_a_sentence_that_names_it() -> None:
    """It is a block of its own."""
    pages = ["Read Scope first.\n\nScope of it all\n\nScope\n\nAll."]
    (entry,) = entries_of([SectionRow(0, "Scope", 1, 1)], pages)
    assert pages[0][entry.start :].startswith("Scope\n\nAll.")


def test_the_headings_are_nested() -> None:
    """A level that is left out breaks nothing."""
    first, second = nested(
        [Entry("a", 1, "A", 1, 0), Entry("b", 3, "B", 1, 5), Entry("c", 1, "C", 2, 0)]
    )
    assert [node.entry.id for node in first.below] == ["b"]
    assert second.below == ()


def test_a_reader_is_in_the_last_section_that_has_begun() -> None:
    """On its page or before."""
    entries = entries_of(ROWS, PAGES)
    assert entry_at(entries, 1, 20) == entries[1]
    assert entry_at(entries, 2, 0) == entries[2]
    assert entry_at(entries, 2, 99) == entries[4]
    assert entry_at(entries[1:], 1, 0) is None


def test_anchors_are_of_one_page() -> None:
    """A heading that is nowhere has none."""
    assert anchors_on(entries_of(ROWS, PAGES), 2) == {12: Anchor("s4", 3)}


def test_very_long_contents_name_only_the_upper_levels() -> None:
    """Short ones name all."""
    many = [Entry(f"s{n}", 1 + n % 3, "x", 1, n) for n in range(300)]
    assert {one.level for one in listed(many)} == {1, 2}
    assert len(listed(many[:60])) == 60


def test_a_version_without_passages_has_no_contents() -> None:
    """Nor one whose passages stand under no heading."""
    assert entries_of([], PAGES) == entries_of([SectionRow(0, "", 1, 1)], PAGES) == ()
