"""What becomes a passage of a request, and what a question may be."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from governance.policies import PassageRecord
from rag.config import RagSettings
from rag.errors import LimitRefused, QuestionEmpty, QuestionTooLong
from rag.index import Hit
from rag.retrieve import (
    citable,
    clean_limit,
    clean_question,
    confirmed,
    elsewhere,
    passage_url,
)

SETTINGS = RagSettings(index_dir=Path("unused"), question_max_chars=10, search_max=20)


def record(passage_id: str, department: str = "demo") -> PassageRecord:
    return PassageRecord(
        passage_id=passage_id, document_id="d", version_id="v", policy_number=None, title="T",
        version=3, department=department, section="S", page_from=4, page_to=5,
        text=f"text {passage_id}",
        effective_from=date(2026, 1, 2), review_due=None, file_name="f.pdf",
    )  # fmt: skip


def test_only_confirmed_hits_become_passages() -> None:
    """Unknown passages and those of another department are dropped, the order stays."""
    records = {"a": record("a"), "b": record("b", "other"), "c": record("c")}
    hits = [Hit("c", 3.0), Hit("gone", 2.5), Hit("b", 2.0), Hit("a", 1.0)]
    found = confirmed(hits, records, "demo", 5)
    assert [(one.passage_id, one.score) for one in found] == [("c", 3.0), ("a", 1.0)]
    assert (found[0].effective_from, found[0].review_due) == ("2026-01-02", None)


def test_the_limit_counts_confirmed_passages() -> None:
    """A hit that the record refuses makes room for the next."""
    hits = [Hit("gone", 2.0), Hit("a", 1.0)]
    assert len(confirmed(hits, {"a": record("a")}, "demo", 1)) == 1


def test_the_address_of_a_passage() -> None:
    """The viewer opens at the passage's first page; ids cannot break out of the address."""
    assert passage_url("d", 3, "p", 4) == "/documents/d/versions/3?passage=p#p4"
    assert passage_url("a/b", 1, "x&y", 1) == "/documents/a%2Fb/versions/1?passage=x%26y#p1"


def test_a_question_loses_its_white_space() -> None:
    """Line ends and blanks around a question mean nothing."""
    assert clean_question("  a\n b\0 ", SETTINGS) == "a b"


@pytest.mark.parametrize(
    ("text", "error"), [("", QuestionEmpty), ("\n\t", QuestionEmpty), ("x" * 11, QuestionTooLong)]
)
def test_what_is_no_question_is_refused(text: str, error: type[Exception]) -> None:
    """Nothing and too much are refused before any work is done."""
    with pytest.raises(error):
        clean_question(text, SETTINGS)


def test_the_number_of_passages_is_bounded() -> None:
    """None means the default; out of range is refused with the range."""
    assert (clean_limit(None, SETTINGS), clean_limit(20, SETTINGS)) == (8, 20)
    with pytest.raises(LimitRefused, match="1 to 20"):
        clean_limit(21, SETTINGS)


def test_a_policy_that_is_named_by_its_number_comes_first() -> None:
    """However it is written; a number that is only letters, or very short, proves nothing."""
    records = {
        "a": record("a"),
        "b": replace(record("b"), policy_number="PH-005"),
        "c": replace(record("c"), policy_number="A"),
    }
    hits = [Hit("a", 3.0), Hit("c", 2.0), Hit("b", 1.0)]
    found = confirmed(hits, records, "demo", 5, "What does ph 005 say about a fridge?")
    assert [one.passage_id for one in found] == ["b", "a", "c"]


def test_what_policies_copy_from_one_another_is_shown_once() -> None:
    """The first stands for all, and the next different passage moves up."""
    records = {
        "a": record("a"),
        "b": replace(record("b"), text="Text  A"),
        "c": record("c"),
    }
    found = confirmed([Hit(one, 1.0) for one in "abc"], records, "demo", 2)
    assert [one.passage_id for one in found] == ["a", "c"]


def test_an_answer_stays_in_the_document_of_the_best_passage() -> None:
    """And in what the model was shown; the others are only compared."""
    records = {name: record(name) for name in "acd"}
    records["b"] = replace(record("b"), document_id="other")
    passages = confirmed([Hit(name, 1.0) for name in "abcd"], records, "demo", 8)
    assert citable(passages, read=3) == (0, 2)
    assert elsewhere(passages) == (1,)
    assert citable((), 3) == elsewhere(()) == ()
