"""What would make a link, a picture or an element is undone; addresses must be the quote's own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.addresses import addresses, unlinked, unsaid

OUT = "https://outside.example/a?b=c"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Keep it [dry]({OUT}).", "Keep it dry."),
        (f"Keep it dry ![dot]({OUT} 'x')", "Keep it dry dot"),
        ("Keep it [dry][r].", "Keep it dry."),
        (f"Keep it dry.\n[r]: {OUT}", "Keep it dry.\n"),
        (f"Keep it <{OUT}> dry.", f"Keep it {OUT} dry."),
        (f'<a href="{OUT}">Keep it dry</a>.', "Keep it dry."),
        (f"Keep <img src='{OUT}' onerror='x()'>it dry.", "Keep it dry."),
        (f"Keep it dry. [1]({OUT})", "Keep it dry. [1]"),
        ("Keep <b it dry.", "Keep < b it dry."),
        ("Keep it dry. [1][2]", "Keep it dry. [1][2]"),
        ("Give < 5 mg and > 2 mg. [1]", "Give < 5 mg and > 2 mg. [1]"),
        ("| A | <5 mg |", "| A | <5 mg |"),
    ],
)
def test_what_leads_somewhere_is_undone(text: str, left: str) -> None:
    """Words, amounts and our own markers stay."""
    assert unlinked(text) == left


@given(st.text(alphabet="[]()!<>a1:/ \n", max_size=60))
def test_undone_text_holds_no_element(text: str) -> None:
    """Whatever the pieces are put together to."""
    left = unlinked(text)
    assert not re.search(r"<[/!?]?[a-z]|\]\(|!\[", left)


def test_addresses_are_told_from_words() -> None:
    """With their paths, without the full stop behind them."""
    text = f"See {OUT}. Write to ward@clinic.example, or www.clinic.example/a; e.g. at 5 p.m."
    assert addresses(text) == {OUT, "ward@clinic.example", "www.clinic.example/a"}
    assert addresses("javascript:alert(1)")
    assert addresses("Give 1.5 mg, i.e. half.Then wait 3 h.") == frozenset()


def test_an_address_must_stand_in_the_quote() -> None:
    """The policy's own may be said, another may not."""
    quote = "Report it at https://intranet.clinic.example/report within a day."
    assert unsaid("Report at https://intranet.clinic.example/report.", quote) == frozenset()
    assert unsaid(f"Report it at {OUT} within a day.", quote) == {OUT}


@pytest.mark.parametrize("piece", ["[", "![", "[a](", "<a ", "a@", "aaa.", "<!--", "a"])
def test_a_text_of_one_piece_alone_is_read_to_its_end(piece: str) -> None:
    """Its length multiplies no work: a text of megabytes would otherwise hold a server up."""
    unlinked(piece * 20_000)
    addresses(piece * 20_000)
