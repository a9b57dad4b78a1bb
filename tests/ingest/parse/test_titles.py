import pytest

from ingest.document import Block, BlockKind
from ingest.parse.pdf_lines import Line
from ingest.parse.pdf_title import title_of
from ingest.parse.titles import heading_title, stated_title


@pytest.mark.parametrize(
    "junk",
    [
        "Microsoft Word - breach.log.doc",
        "policy_v2.docx",
        "Untitled",
        "Slide 1",
        "(anonymous)",
        "002",
        "",
        "Normal.dot",
        "Table of Contents",
        "x" * 300,
    ],
)
def test_what_a_program_put_there_is_no_title(junk: str) -> None:
    """File names and defaults are passed over."""
    assert stated_title(junk) is None


def test_a_title_is_cleaned() -> None:
    """Blanks are single, and marks between words are blanks."""
    assert stated_title("BOD  15-01\u00a0Directive") == "BOD 15-01 Directive"
    assert stated_title("Guideline_for_Tinnitus") == "Guideline for Tinnitus"


def test_the_first_heading_names_the_document_if_none_is_its_equal() -> None:
    """Of several chapters none names the whole."""
    falls, scope = (Block(BlockKind.HEADING, t, 1, 1) for t in ("Falls policy", "Scope"))
    assert heading_title([falls]) == "Falls policy"
    assert heading_title([falls, scope]) is None
    assert heading_title([]) is None


def test_the_largest_words_of_the_first_page_are_the_title() -> None:
    """A PDF that states no title shows it."""
    lines = [
        Line("Northfield", 1, size_pt=9),
        Line("Prevention of", 1, size_pt=20),
        Line("Falls", 1, size_pt=20),
        Line("All staff.", 1, size_pt=10),
        Line("Huge second page", 2, size_pt=40),
    ]
    assert title_of("scan0001.pdf", lines) == "Prevention of Falls"
    assert title_of("Falls policy", lines) == "Falls policy"
    assert title_of("", []) is None
