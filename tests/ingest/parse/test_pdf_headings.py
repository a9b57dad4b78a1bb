from ingest.parse.pdf_headings import Headings, OutlineEntry, body_size_pt
from ingest.parse.pdf_lines import Line


def line(text: str, y: float, size: float = 10.0, bold: bool = False, font: str = "times") -> Line:
    return Line(text, 1, 72, 300, y, size, bold, font)


BODY = [line("The quick brown fox jumps over the lazy dog.", 200 + 12 * n) for n in range(9)]


def test_the_body_is_the_size_most_is_set_in() -> None:
    """Characters count, not lines."""
    assert body_size_pt([line("Head", 10, 20), *BODY]) == 10


def test_larger_bold_numbered_and_differently_set_lines_are_headings() -> None:
    """Each way to set a heading off is known."""
    for heading in (
        line("Scope", 180, size=14),
        line("Scope", 180, bold=True),
        line("2.1 Scope", 180),
        line("Scope", 180, font="helvetica"),
    ):
        assert Headings([heading, *BODY], ()).at(0)[0] == 1


def test_sentences_bullets_and_small_print_are_none() -> None:
    """Bold does not make a heading of a sentence or of a list item."""
    for other in (
        line("Wash your hands now.", 180, bold=True),
        line("• Wash", 180, bold=True),
        line("Version 2", 180, size=8),
        line("Scope", 180),
    ):
        assert Headings([other, *BODY], ()).at(0) == (0, 0)


def test_a_heading_of_two_lines_is_one() -> None:
    """Lines of one look that follow closely belong together."""
    lines = [line("Prevention of", 150, 14), line("Falls", 166, 14), *BODY]
    assert Headings(lines, ()).at(0) == (2, 1)


QUESTION = ("I left the ward before my shift was over. To whom", "do I hand over, and in what way?")


def test_a_long_question_is_one_heading() -> None:
    """Two full lines of larger bold type are not half a paragraph and half a heading."""
    lines = [line(text, 150 + 16 * n, 14, bold=True) for n, text in enumerate(QUESTION)]
    assert Headings([*lines, *BODY], ()).at(0) == (2, 1)


def test_a_heading_of_two_lines_in_other_type_is_one() -> None:
    """Its second line is not the text that must follow it."""
    lines = [line("Prevention of", 165, font="arial"), line("Falls", 177, font="arial"), *BODY]
    assert Headings(lines, ()).at(0)[0] == 2


def test_levels_follow_size_and_the_outline_where_it_speaks() -> None:
    """Larger type is a higher level; a look that the outline knows has the outline's level."""
    lines = [line("Part", 100, 20), line("Scope", 140, 14), *BODY, line("Duties", 400, 14), *BODY]
    assert [Headings(lines, ()).at(n)[1] for n in (0, 1)] == [1, 2]
    outline = [OutlineEntry(3, "SCOPE", 1)]
    assert [Headings(lines, outline).at(n)[1] for n in (1, 11)] == [3, 3]


def test_an_outline_entry_that_is_not_in_the_text_is_passed_over() -> None:
    """Bookmarks of programs ("Slide 1") make nothing."""
    assert Headings(BODY, [OutlineEntry(1, "Slide 1", 1)]).at(0) == (0, 0)
