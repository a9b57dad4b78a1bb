"""Cards say what stands behind a marker."""

from dataclasses import replace
from datetime import date

from rag.schema import Answer, AnswerStatus, Citation, Passage
from web.cards import cards_beside, cards_of_answer, cards_of_passages, oldest_review, policies_used

PASSAGE = Passage(
    "p1", "d1", "PH-014", "Vials", 3, "Pharmacy", "4 > 4.2", 3, 3, 1.0, "Text.", "/documents/d1"
)
CITATION = Citation(
    marker=1,
    passage_id="p1",
    document_id="d1",
    policy_number="PH-014",
    title="Vials",
    version=3,
    department="Pharmacy",
    section="4 > 4.2",
    page_from=3,
    page_to=3,
    url="/documents/d1",
    quote="One.",
    effective_from="2026-03-01",
    review_due="2026-06-12",
)
TODAY = date(2026, 11, 22)


def answer(*citations: Citation, passages: tuple[Passage, ...] = ()) -> Answer:
    """An answer with these citations."""
    return Answer("a", AnswerStatus.ANSWERED, "x", citations, passages, {}, "1")


def test_the_name_for_a_screen_reader_says_number_title_and_page() -> None:
    """As products.md 5.4 (7) asks."""
    assert cards_of_passages([PASSAGE], TODAY)[0].label == "Source 1: PH-014 Vials, page 3"


def test_quotes_of_one_marker_share_a_card() -> None:
    """Two sentences citing the same source give one card with two quotes, each once."""
    cards = cards_of_answer(
        answer(CITATION, replace(CITATION, quote="Two."), replace(CITATION, quote="One.")), TODAY
    )
    assert [card.quotes for card in cards] == [("One.", "Two.")]


def test_a_review_date_in_the_past_is_overdue() -> None:
    """The date itself decides, and is shown in words."""
    card = cards_of_answer(answer(CITATION), TODAY)[0]
    assert (card.overdue, card.next_review) == (True, "12 June 2026")
    assert not cards_of_answer(answer(CITATION), date(2026, 6, 12))[0].overdue


def test_passages_that_were_not_cited_keep_their_numbers() -> None:
    """What is beside the answer is still source 2."""
    other = replace(PASSAGE, passage_id="p2")
    beside = cards_beside(answer(CITATION, passages=(PASSAGE, other)), TODAY)
    assert [card.number for card in beside] == [2]


def test_the_strip_counts_policies_and_names_the_oldest_review() -> None:
    """Two passages of one policy are one policy."""
    second = replace(CITATION, marker=2, passage_id="p2", review_due="2025-01-02")
    assert policies_used(answer(CITATION, second)) == 1
    assert oldest_review(answer(CITATION, second)) == "2 January 2025"
    assert oldest_review(answer(replace(CITATION, review_due=None))) == ""
