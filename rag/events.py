"""What happens while a question is answered, in order: passages, released text, the answer."""

from dataclasses import dataclass

from rag.schema import Answer, Passage
from rag.tally import NOTHING, Counted


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """The search is done; marker `[n]` of the answer will mean `passages[n - 1]`.

    keyword_only: the model runtime gave no vector, so only the words were searched.
    understood: the question as it was searched, where that is not as it was asked.
    """

    passages: tuple[Passage, ...]
    keyword_only: bool = False
    understood: str | None = None


@dataclass(frozen=True, slots=True)
class TokenReleased:
    """Checked text, to be shown after what is already shown; it is never taken back."""

    text: str


@dataclass(frozen=True, slots=True)
class Checks:
    """How many sentences the model wrote that were released, and that no passage supported.

    confidence: the probability, from 0 to 1, that the passages answer the question; None where it
    was not weighed.
    """

    released: int = 0
    dropped: int = 0
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The last event. For `answered`, the answer's text is all released text put together.

    For `not_found` nothing was released: `answer.answer` is a sentence that says so.
    took: tokens that the chat model read and wrote.
    """

    answer: Answer
    checks: Checks = Checks()
    took: Counted = NOTHING


AskEvent = PassagesFound | TokenReleased | Answered
