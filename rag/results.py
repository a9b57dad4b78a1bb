"""Turns what the platform API sent for a question into an item that can be scored.

Pure. Gold places name files, passages name documents: `file_names` maps document ids to names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rag.evaluate import Found, Given, Item
from rag.questions import Question

# Says how sure an Answer is, from 0 to 1; not there where that was not weighed.
CONFIDENCE_HEADER = "Lamplight-Confidence"


def searched(
    question: Question,
    passages: Sequence[Mapping[str, Any]],
    file_names: Mapping[str, str],
    search_ms: float,
) -> Item:
    """Make an item of a search: the passages of `POST /api/v1/search`, in their order."""
    return Item(question, _all_found(passages, file_names), timings_ms={"search": search_ms})


def asked(
    question: Question,
    answer: Mapping[str, Any],
    file_names: Mapping[str, str],
    passages: Sequence[Mapping[str, Any]] | None = None,
    confidence: float | None = None,
) -> Item:
    """Make an item of an Answer; `passages` of a deeper search score retrieval in its place."""
    shown = answer["passages"]
    by_id = {one["passage_id"]: one for one in shown}
    cited = [by_id[citation["passage_id"]] for citation in answer["citations"]]
    return Item(
        question,
        _all_found(shown if passages is None else passages, file_names),
        Given(answer["status"], answer["answer"], _all_found(cited, file_names)),
        dict(answer["timings_ms"]),
        confidence=confidence,
    )


def failed(question: Question, message: str) -> Item:
    """Make an item of a question that was not served; it counts as unanswered."""
    return Item(question, (), error=message)


def _all_found(
    passages: Sequence[Mapping[str, Any]], file_names: Mapping[str, str]
) -> tuple[Found, ...]:
    return tuple(Found(file_names.get(one["document_id"], ""), one["text"]) for one in passages)
