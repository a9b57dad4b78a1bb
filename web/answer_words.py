"""What is announced while a question is answered, one line for each stage. Pure."""

from rag.schema import AnswerStatus
from web.asked import Asked, Stage
from web.wording import count_words


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


def _ending_words(asked: Asked) -> str:
    if asked.problem is not None or asked.answer is None:
        return "The answer was cut short" if asked.text else "There is no answer this time"
    if asked.answer.status is AnswerStatus.REFUSED:
        return asked.answer.answer
    if asked.answer.status is not AnswerStatus.ANSWERED:
        return "We did not find this in the current policies"
    sources = len({citation.marker for citation in asked.answer.citations})
    return f"Answer ready, with {count_words(sources, 'source')}"
