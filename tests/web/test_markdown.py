"""An answer's Markdown becomes HTML that can only be read."""

import re

import pytest

from web.cards import Card
from web.markdown import answer_html

CARD = Card(1, "PH-014 Vials", 3, "Pharmacy", "", "page 3", "", "", False, "/documents/x")
CARDS = {1: CARD}

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "![a](https://example.org/x.png)",
    "<https://example.org>",
    "[a](https://example.org)",
    "[a]: https://example.org\n\n[a]",
    '<a href="https://example.org" onclick="x()">a</a>',
    "<style>body{display:none}</style>",
    "<iframe src=//example.org></iframe>",
    "https://example.org",
    "`<b onmouseover=x>`",
    '[1](javascript:alert(1) "x")',
    "<svg onload=alert(1)>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(text: str) -> None:
    """No element, address or handler of the model's own comes through."""
    elements = re.findall(r"<(\w+[^>]*)", answer_html(text, {}))
    assert set(elements) <= {"p", "code"}


def test_a_marker_leads_to_its_card() -> None:
    """The link has the name of the source."""
    html = answer_html("28 days. [1]", CARDS)
    assert 'href="#source-1"' in html
    assert 'aria-label="Source 1: PH-014 Vials, page 3"' in html


def test_a_marker_without_a_card_is_text() -> None:
    """A number that names nothing is no link."""
    assert "<a" not in answer_html("28 days. [7]", CARDS)


def test_markers_side_by_side_and_in_tables_are_links() -> None:
    """Every marker counts, wherever it stands."""
    html = answer_html("a [1][1]\n\n| x | y |\n|---|---|\n| b [1] | c |", CARDS)
    assert html.count('href="#source-1"') == 3
    assert "<table>" in html


def test_a_marker_in_code_stays_code() -> None:
    """Code is shown as it is."""
    assert "<a" not in answer_html("`x[1]`", CARDS)


def test_a_heading_of_the_model_is_no_heading_of_the_page() -> None:
    """The page keeps its own outline."""
    assert "<h" not in answer_html("# Big\n\ntext", CARDS)


def test_a_title_with_markup_is_escaped() -> None:
    """A document's title is not trusted either."""
    card = Card(1, '"><script>', 1, "d", "", "page 1", "", "", False, "/documents/x")
    assert "<script" not in answer_html("x [1]", {1: card})
