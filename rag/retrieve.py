"""Decides which hits become the passages of a request, and refuses questions that are none.

Pure. The index is a derived copy: what the record does not confirm as in force, in this
department, does not exist.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import quote

from governance.policies import PassageRecord
from rag.config import RagSettings
from rag.errors import LimitRefused, QuestionEmpty, QuestionTooLong
from rag.index import Hit
from rag.schema import Passage
from rag.words import fold

MIN_NUMBER_CHARS = 3


def clean_question(text: str, settings: RagSettings) -> str:
    """Return the question without white space around it. Raises QuestionRefused."""
    if len(text) > settings.question_max_chars:
        raise QuestionTooLong(len(text), settings.question_max_chars)
    question = " ".join(text.replace("\0", " ").split())
    if not question:
        raise QuestionEmpty
    return question


def clean_limit(asked: int | None, settings: RagSettings) -> int:
    """Return how many passages to serve. Raises LimitRefused."""
    if asked is None:
        return settings.search_limit
    if not 1 <= asked <= settings.search_max:
        raise LimitRefused(asked, settings.search_max)
    return asked


def confirmed(
    hits: Sequence[Hit],
    records: Mapping[str, PassageRecord],
    department: str,
    limit: int,
    question: str = "",
) -> tuple[Passage, ...]:
    """Keep the hits that the record confirms for this department, in their order.

    A policy that the question names by its number comes first. Of several passages of the same
    words, which policies copy from one another, the first stands for all.
    """
    kept = [
        (records[hit.passage_id], hit.score)
        for hit in hits
        if hit.passage_id in records and records[hit.passage_id].department == department
    ]
    asked = _squeezed(question)
    kept.sort(key=lambda one: not _is_named(one[0].policy_number, asked))
    seen: set[str] = set()
    passages: list[Passage] = []
    for record, score in kept:
        words = fold(record.text)
        if words not in seen:
            seen.add(words)
            passages.append(_passage(record, score))
    return tuple(passages)[:limit]


def citable(passages: Sequence[Passage], read: int) -> tuple[int, ...]:
    """Which passages an answer may quote, from 0: those of the first one's document.

    read: how many of the first ones the model is shown. A small model that turns to a place further
    down, in another document, is nearly always wrong: on qa-dev 10 times of 11.
    """
    return tuple(
        number
        for number, passage in enumerate(passages[:read])
        if passage.document_id == passages[0].document_id
    )


def elsewhere(passages: Sequence[Passage]) -> tuple[int, ...]:
    """The passages of other documents than the first one's, from 0."""
    return tuple(
        number
        for number, passage in enumerate(passages)
        if passage.document_id != passages[0].document_id
    )


def _is_named(number: str | None, asked: str) -> bool:
    """A number without a digit, or of one or two signs, would be found in anything."""
    wanted = _squeezed(number or "")
    return len(wanted) >= MIN_NUMBER_CHARS and any(map(str.isdigit, wanted)) and wanted in asked


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, fold(text)))


def passage_url(document_id: str, version: int, passage_id: str, page: int) -> str:
    """Return the viewer's address of a passage."""
    return (
        f"/documents/{quote(document_id, safe='')}/versions/{version}"
        f"?passage={quote(passage_id, safe='')}#p{page}"
    )


def _passage(record: PassageRecord, score: float) -> Passage:
    return Passage(
        passage_id=record.passage_id,
        document_id=record.document_id,
        policy_number=record.policy_number,
        title=record.title,
        version=record.version,
        department=record.department,
        section=record.section,
        page_from=record.page_from,
        page_to=record.page_to,
        score=score,
        text=record.text,
        url=passage_url(record.document_id, record.version, record.passage_id, record.page_from),
        effective_from=_iso(record.effective_from),
        review_due=_iso(record.review_due),
    )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
