"""Question files: good lines become questions, a bad one is refused by its number."""

import json
from typing import Any

import pytest

from rag.errors import QuestionFileBad
from rag.questions import Gold, read_questions

GOOD: dict[str, Any] = {
    "id": "q1",
    "question": "How long?",
    "answerable": True,
    "answers": ["28 days"],
    "answer_type": "span",
    "gold": [{"doc": "a.pdf", "passage": "Long.", "evidence": "28 days"}],
    "topic": "ignored",
}


def line(**changes: Any) -> str:
    return json.dumps(GOOD | changes)


def test_good_lines_become_questions() -> None:
    """Blank lines and further fields are allowed; a missing evidence falls back to the passage."""
    one, two = read_questions(
        [line(), "\n", line(id="q2", gold=[{"doc": "b.md", "passage": "All."}])]
    )
    assert (one.id, one.answers, one.answer_type) == ("q1", ("28 days",), "span")
    assert one.gold == (Gold("a.pdf", "28 days"),)
    assert two.gold == (Gold("b.md", "All."),)


def test_an_unanswerable_question_has_no_gold() -> None:
    """The paragraph that only looks right is not taken for gold."""
    (one,) = read_questions([line(answerable=False, answers=None, answer_type=None)])
    assert (one.gold, one.answers, one.answer_type) == ((), (), "extractive")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        (line(question=None), "`question` is missing"),
        (line(answerable="yes"), "`answerable` is missing"),
        (line(gold=[]), "needs `gold`"),
        (line(gold=["a.pdf"]), "`gold` must hold objects"),
        (line(gold=[{"doc": "a.pdf"}]), "needs `doc` and `evidence`"),
        (line(gold={}), "needs `gold`"),
        (line(gold="x"), "`gold` must be a list"),
        (line(answers=[1]), "`answers` must hold texts"),
        (line(id="q0"), "was used before"),
        ("x" * 200_001, "longer than"),
    ],
)
def test_a_bad_line_is_refused_by_number(bad: str, reason: str) -> None:
    """The message says which line and what is wrong with it."""
    with pytest.raises(QuestionFileBad, match=reason) as refused:
        read_questions([line(id="q0"), "", bad])
    assert refused.value.line_number == 3
    assert "Line 3" in refused.value.message


def test_an_empty_file_is_refused() -> None:
    """A file without questions cannot be scored."""
    with pytest.raises(QuestionFileBad, match="holds no question"):
        read_questions(["\n"])
