"""Reads question files: JSON lines, each a question with what is known about its answer."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from rag.errors import QuestionFileBad

T = TypeVar("T", str, bool)
MAX_LINE_CHARS = 200_000


@dataclass(frozen=True, slots=True)
class Gold:
    """A place that answers a question: the file's name as loaded, and the words that say it."""

    doc: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a question file; `answer_type` is extractive, span or abstractive."""

    id: str
    question: str
    answerable: bool
    answers: tuple[str, ...]
    answer_type: str
    gold: tuple[Gold, ...]


def read_questions(lines: Iterable[str]) -> tuple[Question, ...]:
    """Read every line that is not blank. Raises QuestionFileBad, which names the line."""
    questions: list[Question] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        question = _question(number, line)
        if question.id in seen:
            raise QuestionFileBad(number, f"the id {question.id!r} was used before.")
        seen.add(question.id)
        questions.append(question)
    if not questions:
        raise QuestionFileBad(1, "the file holds no question.")
    return tuple(questions)


def _question(number: int, line: str) -> Question:
    if len(line) > MAX_LINE_CHARS:
        raise QuestionFileBad(number, f"it is longer than {MAX_LINE_CHARS:,} characters.")
    try:
        given = json.loads(line)
    except ValueError as error:
        raise QuestionFileBad(number, f"it is no JSON ({error}).") from error
    if not isinstance(given, dict):
        raise QuestionFileBad(number, "it is no JSON object.")
    answerable = _field(number, given, "answerable", bool)
    gold = tuple(_gold(number, one) for one in _list(number, given, "gold"))
    if answerable and not gold:
        raise QuestionFileBad(number, "an answerable question needs `gold`.")
    answers = _list(number, given, "answers")
    if not all(isinstance(answer, str) for answer in answers):
        raise QuestionFileBad(number, "`answers` must hold texts.")
    return Question(
        id=str(given.get("id", number)),
        question=_field(number, given, "question", str),
        answerable=answerable,
        answers=tuple(answers),
        answer_type=str(given.get("answer_type") or "extractive"),
        gold=gold if answerable else (),
    )


def _gold(number: int, given: Any) -> Gold:
    if not isinstance(given, dict):
        raise QuestionFileBad(number, "`gold` must hold objects.")
    evidence = given.get("evidence") or given.get("passage")
    if not isinstance(evidence, str) or not isinstance(given.get("doc"), str):
        raise QuestionFileBad(number, "each of `gold` needs `doc` and `evidence`.")
    return Gold(given["doc"], evidence)


def _field(number: int, given: dict[str, Any], name: str, kind: type[T]) -> T:
    value = given.get(name)
    if not isinstance(value, kind):
        raise QuestionFileBad(number, f"`{name}` is missing or is no {kind.__name__}.")
    return value


def _list(number: int, given: dict[str, Any], name: str) -> list[Any]:
    value = given.get(name) or []
    if not isinstance(value, list):
        raise QuestionFileBad(number, f"`{name}` must be a list.")
    return value
