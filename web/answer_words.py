"""What is announced while a question is answered, one line for each stage. Pure."""

from rag.schema import AnswerStatus
from web.asked import Asked, Stage
from web.wording import count_words

LEAST_OF_TEN = 5


def status_words(asked: Asked) -> str:
    """The one line that is announced when a stage begins."""
    match asked.stage:
        case Stage.SEARCHING:
            return f"Searching {count_words(asked.policies, 'current policy', 'current policies')}"
        case Stage.READING:
            return f"Found {count_words(len(asked.passages), 'passage')}, reading"
        case Stage.WRITING:
            return "Writing"
        case Stage.CUT_SHORT:
            return "The answer was cut short"
        case Stage.DONE:
            return _ending_words(asked)


def sure_words(confidence: float | None) -> str | None:
    """How often an answer as sure as this one is right, in whole numbers; None of an unsure one.

    The chance was fitted on questions whose answers are known (`rag/abstain.py`). It never says
    ten of ten.
    """
    of_ten = min(9, round(10 * (confidence or 0)))
    if of_ten < LEAST_OF_TEN:
        return None
    return f"About {of_ten} of 10 answers as sure as this one were right when Lamplight was tested."


def _ending_words(asked: Asked) -> str:
    if asked.problem is not None or asked.answer is None:
        return "The answer was cut short" if asked.text else "There is no answer this time"
    if asked.answer.status is AnswerStatus.REFUSED:
        return asked.answer.answer
    if asked.answer.status is not AnswerStatus.ANSWERED:
        return "We did not find this in the current policies"
    sources = len({citation.marker for citation in asked.answer.citations})
    return f"Answer ready, with {count_words(sources, 'source')}"
