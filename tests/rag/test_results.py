"""The platform's JSON becomes items: passages by file name, citations by their passage."""

from rag.evaluate import Found, Given
from rag.questions import Question
from rag.results import asked, failed, searched

QUESTION = Question("1", "How long?", True, ("28 days",), "extractive", ())
NAMES = {"d1": "a.pdf", "d2": "b.md"}
PASSAGES = [
    {"passage_id": "p1", "document_id": "d1", "text": "one"},
    {"passage_id": "p2", "document_id": "d2", "text": "two"},
    {"passage_id": "p3", "document_id": "gone", "text": "three"},
]
FOUND = (Found("a.pdf", "one"), Found("b.md", "two"), Found("", "three"))
ANSWER = {
    "status": "answered",
    "answer": "28 days [2]",
    "passages": PASSAGES,
    "citations": [{"passage_id": "p2", "marker": 2}],
    "timings_ms": {"search": 4, "total": 9},
}


def test_a_search_keeps_its_order_and_time() -> None:
    """Every passage is known by the file it came from; a deleted document's matches no file."""
    item = searched(QUESTION, PASSAGES, NAMES, 4.5)
    assert (item.found, item.given, item.timings_ms) == (FOUND, None, {"search": 4.5})


def test_a_citation_stands_for_its_passage() -> None:
    """The cited passage's text is what is scored."""
    item = asked(QUESTION, ANSWER, NAMES)
    assert item.found == FOUND
    assert item.given == Given("answered", "28 days [2]", (Found("b.md", "two"),))
    assert item.timings_ms == {"search": 4, "total": 9}


def test_a_deeper_search_may_score_retrieval() -> None:
    """An answer shows eight passages; recall at ten needs two more."""
    assert asked(QUESTION, ANSWER, NAMES, PASSAGES[:1]).found == FOUND[:1]


def test_a_failure_is_an_item_too() -> None:
    """No question disappears from the count."""
    assert failed(QUESTION, "busy").error == "busy"
