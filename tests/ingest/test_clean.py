from hypothesis import given
from hypothesis import strategies as st

from ingest.clean import LINE_END_HYPHEN, clean, clean_line, join_lines, vocabulary


def test_what_cannot_be_seen_is_taken_out() -> None:
    """Zero-width, bidirectional and tag characters and NUL carry hidden orders: none stays."""
    hidden = "".join(map(chr, (0xE0049, 0xE0047, 0x200B, 0x202E, 0x2066, 0xFEFF, 0)))
    assert clean(f"Wash{hidden} hands") == "Wash hands"


def test_unicode_is_composed_and_superscripts_stay() -> None:
    """Letters are in normal form C, ligatures are spelt out, 10² is not made 102."""
    assert clean("cafe\u0301 ﬁt 10²") == "café fit 10²"


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """Clean text is clean."""
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_a_clean_line_is_one_line(text: str) -> None:
    """No line end survives in what is one line by nature."""
    assert "\n" not in clean_line(text)


def test_words_broken_at_a_line_end_become_whole() -> None:
    """The document's own words decide whether a hyphen was written or set."""
    words = vocabulary(["behavioral follow-up of patients", "the sharp bin"])
    assert join_lines(["a behav-", "ioral plan"], words) == "a behavioral plan"
    assert join_lines(["the follow-", "up visit"], words) == "the follow-up visit"
    assert join_lines(["non-", "sterile"], words) == "non-sterile"
    assert join_lines(["COVID-", "19 cases"], words) == "COVID-19 cases"


def test_the_halves_of_a_broken_word_are_no_words() -> None:
    """What stands around a line-end hyphen does not count as evidence for itself."""
    words = vocabulary([f"a behav{LINE_END_HYPHEN}", "ioral plan"])
    assert "behav" not in words
    assert "ioral" not in words
    assert "plan" in words


def test_a_dash_between_words_is_kept() -> None:
    """A dash after a blank breaks no word."""
    assert join_lines(["wash -", "then dry"], frozenset()) == "wash - then dry"
