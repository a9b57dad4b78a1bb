"""The answer as it grows: what comes out, in which form, and what every marker means."""

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import Cited, Draft, cite
from rag.check import gather
from rag.schema import Passage

VIALS = "Vials must be discarded 28 days after first puncture. Staff must not share vials."
STEPS = "Steps after an injury:\n1. Wash the wound with soap.\n2. Report to the nurse in charge."
TABLE = "| Drug | Dose |\n| --- | --- |\n| Paracetamol | 4000 mg |"
TEXTS = (VIALS, STEPS, TABLE)


def draft() -> Draft:
    return Draft(gather("vials? injury?", [(text, "Handbook") for text in TEXTS]), 0.6)


def write(text: str, *, size: int = 5, cut_off: bool = False) -> tuple[str, Draft]:
    """Feed a text in pieces; return all that came out."""
    one = draft()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    released = "".join(map(one.feed, pieces)) + one.finish(cut_off=cut_off)
    assert released == one.text
    return released, one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Vials must be discarded 28 days after first puncture.",
            "Vials must be discarded 28 days after first puncture. [1]",
        ),
        (
            "Staff must not share vials [1]. Call 999. Wash the wound with soap [7].",
            "Staff must not share vials. [1] Wash the wound with soap. [2]",
        ),
        ("Staff must not share vials. [2]", "Staff must not share vials. [1]"),
        ("Staff must not share vials (Extract 1).", "Staff must not share vials. [1]"),
        ("The answer is: 28 days after puncture.", "28 days after puncture. [1]"),
        ("The answer is 28 days after puncture.", "28 days after puncture. [1]"),
        ("Staff must not share vials [1, 2]", "Staff must not share vials [1]"),
        (
            "1. Wash the wound with soap.\n2. Report to the nurse in charge.",
            "1. Wash the wound with soap. [2]\n2. Report to the nurse in charge. [2]",
        ),
        (
            "Steps after an injury:\n\n- Wash the wound with soap\n- Invented\n- Report to the "
            "nurse in charge",
            "Steps after an injury:\n\n- Wash the wound with soap [2]\n- Report to the nurse in "
            "charge [2]",
        ),
        (
            "Always be kind to others:\n1. Wash the wound with soap.",
            "1. Wash the wound with soap. [2]",
        ),
        ("### Steps\nWash the wound with soap.", "Wash the wound with soap. [2]"),
        ("| Paracetamol | 4000 mg |", "| Paracetamol | 4000 mg [3] |"),
        (
            "Staff must not share vials. Staff must not share vials.",
            "Staff must not share vials. [1]",
        ),
        ("**Staff must not share vials.**", "**Staff must not share vials.** [1]"),
        ("The answer is: Staff must not share vials.", "Staff must not share vials. [1]"),
        (
            "Staff must not share vials, as outlined in Extract [1].",
            "Staff must not share vials. [1]",
        ),
        ("Extract [1] states that staff must not share vials.", "Staff must not share vials. [1]"),
        ("May staff share vials?", ""),
        ("Handbook", ""),
        ("[1]", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_what_comes_out(text: str, expected: str, size: int) -> None:
    """Supported sentences come out with our markers, lists stay lists, the rest does not."""
    assert write(text, size=size)[0] == expected


def test_a_sentence_that_was_cut_off_is_not_shown() -> None:
    """At the token limit the last sentence is shown only if it ended."""
    assert write("Staff must not share vials", cut_off=True)[0] == ""
    assert write("Staff must not share vials.", cut_off=True)[0] != ""


def test_a_sentence_is_released_before_the_next_is_complete() -> None:
    """The reader does not wait for the whole answer."""
    one = draft()
    assert one.feed("Staff must not share vials. ") == ""
    assert one.feed("Wash") == "Staff must not share vials. [1]"


def test_dropped_sentences_are_counted() -> None:
    """The page can say how much of the model's text was not shown."""
    checks = write("Staff must not share vials. Boil them. Burn the gloves.")[1].checks
    assert (checks.released, checks.dropped) == (1, 2)


MODEL_TEXT = st.lists(
    st.sampled_from(
        ["Staff must not share vials.", "Vials must be discarded 28 days after first puncture.",
         "1. Wash the wound with soap.", "Boil it for 3 days.", "[1]", "[9]", "[", "]", "\n",
         "\n\n", "Steps:", "# Head", "| Paracetamol | 4000 mg |", "e.g.", "**", "No."]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip


@given(st.one_of(MODEL_TEXT, st.text(max_size=60)), st.integers(1, 30), st.booleans())
def test_every_marker_has_a_citation_and_every_quote_is_verbatim(
    text: str, size: int, cut_off: bool
) -> None:
    """No piece of any text makes a marker without a quote that stands in its passage."""
    released, one = write(text, size=size, cut_off=cut_off)
    citations = cite(one.cited, passages(), date(2026, 1, 1))
    markers = {int(n) for n in re.findall(r" \[(\d+)\](?= \||\s|$)", released)}
    assert markers == {citation.marker for citation in citations}
    for citation in citations:
        start, end = map(int, re.findall(r"(?:from|to)=(\d+)", citation.url))
        assert TEXTS[citation.marker - 1][start:end] == citation.quote != ""


@given(MODEL_TEXT, st.integers(1, 30))
def test_the_pieces_do_not_matter(text: str, size: int) -> None:
    """The same text gives the same answer however the stream was cut."""
    assert write(text, size=size)[0] == write(text, size=10_000)[0]


def passages() -> tuple[Passage, ...]:
    one = Passage(
        passage_id="p", document_id="d", policy_number="PH-1", title="Handbook", version=2,
        department="demo", section="", page_from=3, page_to=4, score=1.0, text="",
        url="/documents/d/versions/2?passage=p#p3",
    )  # fmt: skip
    return tuple(replace(one, text=text) for text in TEXTS)


def test_overlapping_quotes_of_a_passage_become_one() -> None:
    """Two sentences on the same words cite them once; other words get their own citation."""
    cited = [Cited(1, 0, 10), Cited(1, 5, 20), Cited(1, 30, 40), Cited(2, 0, 5)]
    found = cite(cited, passages(), date(2026, 1, 1))
    assert [(one.marker, one.quote) for one in found] == [
        (1, VIALS[:20]), (1, VIALS[30:40]), (2, STEPS[:5])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("due", "overdue"), [("2025-12-31", True), ("2026-01-01", False), (None, False)]
)
def test_a_review_is_overdue_from_the_day_after(due: str | None, overdue: bool) -> None:
    """The due day itself is still in time."""
    dated = (replace(passages()[0], review_due=due),)
    assert cite([Cited(1, 0, 5)], dated, date(2026, 1, 1))[0].overdue is overdue


def test_the_address_keeps_its_page() -> None:
    """The quote's place goes before the page's anchor."""
    (one,) = cite([Cited(1, 0, 5)], passages(), date(2026, 1, 1))
    assert one.url == "/documents/d/versions/2?passage=p&from=0&to=5#p3"


def test_verbatim_shows_the_policys_words_for_the_models() -> None:
    """A paraphrase leads to its quote, whatever it made of it."""
    one = Draft(draft().sources, 0.6, verbatim=True)
    one.feed("Yes, multi-dose vials must be discarded 28 days after puncture. ")
    one.finish(cut_off=False)
    quote = one.sources.all[one.cited[0].marker - 1].text[one.cited[0].start : one.cited[0].end]
    assert one.text == f"{quote} [{one.cited[0].marker}]"
    assert "Yes" not in one.text


def test_verbatim_says_each_thing_once() -> None:
    """Two sentences of the model with one source give one quote."""
    one = Draft(draft().sources, 0.6, verbatim=True)
    one.feed("Staff must not share vials. Staff must not share vials between patients. ")
    one.finish(cut_off=False)
    assert len(one.cited) == 1


def test_a_row_of_a_table_is_read_out_with_its_header() -> None:
    """Quoted alone, a row would not say what its figures are."""
    table = "| Drug | Daily limit |\n|---|---|\n| Paracetamol | 4000 mg |"
    sources = gather("What is the daily limit of paracetamol?", [(table, "Limits")])
    one = Draft(sources, 0.6, verbatim=True)
    one.feed("The daily limit of paracetamol is 4000 mg. ")
    one.finish(cut_off=False)
    assert one.text == "Drug: Paracetamol; Daily limit: 4000 mg [1]"


def test_a_list_item_brings_the_line_it_hangs_on() -> None:
    """An item without its lead-in says what to do, but not when."""
    text = "If the skin is broken:\n- wash the wound with soap\n- report to Occupational Health"
    sources = gather("What is done with a wound?", [(text, "Sharps")])
    one = Draft(sources, 0.6, verbatim=True)
    one.feed("Wash the wound with soap. Report to Occupational Health. ")
    one.finish(cut_off=False)
    assert one.text.startswith("If the skin is broken:\n\n- wash the wound with soap [1]\n- report")


def test_a_place_that_was_found_is_shown_though_it_was_worded_freely() -> None:
    """The model knew where; what it said is not shown."""
    one = Draft(draft().sources, 0.99)
    one.feed("Multi-dose vials should be thrown out 28 days following puncture.")
    assert one.finish(cut_off=False) == ""
    assert one.fall_back("When must multi-dose vials be discarded?").endswith("[1]")
    assert "thrown" not in one.text


def test_what_stands_nowhere_is_not_replaced_by_something_else() -> None:
    """Too few shared words: nothing is shown."""
    one = draft()
    one.feed("Boil everything for ten minutes.")
    one.finish(cut_off=False)
    assert one.fall_back("How is the autoclave cleaned?") == ""


def test_another_amount_in_another_policy_is_pointed_out() -> None:
    """The reader sees both, with both places; what agrees is not mentioned."""
    ours = "Vials must be discarded 28 days after the first puncture."
    theirs = "Vials must be discarded 14 days after the first puncture."
    sources = gather("When are vials discarded?", [(ours, "A"), (ours, "B"), (theirs, "C")], [0])
    one = Draft(sources, 0.6)
    one.feed("Vials must be discarded 28 days after the first puncture. ")
    one.finish(cut_off=False)
    before = one.text
    assert one.point_out([1]) == ""
    assert one.point_out([1, 2]) == (f"\n\nAnother policy says 14 days, not 28 days: {theirs} [3]")
    assert one.text.startswith(before)
    assert [cited.marker for cited in one.cited] == [1, 3]
