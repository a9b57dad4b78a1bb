"""The values that travel between search, prompt, check, pages and the platform API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one version's text that never crosses a section; pages count from 1."""

    passage_id: str
    document_id: str
    policy_number: str | None
    title: str
    version: int
    department: str
    section: str
    page_from: int
    page_to: int
    score: float
    text: str
    url: str
    effective_from: str | None = None
    review_due: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """One marker of an answer: the passage it names and the words in it that support it.

    quote: whole sentences, table rows or list items, verbatim from the passage.
    url: opens the viewer at the quoted words.
    """

    marker: int
    passage_id: str
    document_id: str
    policy_number: str | None
    title: str
    version: int
    department: str
    section: str
    page_from: int
    page_to: int
    url: str
    quote: str
    status: str = "effective"
    effective_from: str | None = None
    review_due: str | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of a conversation, and what it got."""

    question: str
    answer: str


class AnswerStatus(StrEnum):
    """How a question ended."""

    ANSWERED = "answered"
    NOT_FOUND = "not_found"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question got: Markdown with markers `[1]`, and what stands behind each marker.

    passages: for `not_found`, the nearest ones, so that a person can look for themselves.
    timings_ms: search, first_token, total.
    """

    id: str
    status: AnswerStatus
    answer: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    model: Mapping[str, str]
    prompt_version: str
    timings_ms: Mapping[str, int] = field(default_factory=dict)
