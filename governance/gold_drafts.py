"""What somebody writes of a gold question, checked before it is kept. Pure."""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from governance.errors import InvalidEvaluation

MAX_QUESTION_CHARS = 2_000
MAX_TEXT_CHARS = 10_000
MAX_PLACES = 20
MAX_KEY_CHARS = 80
ANSWER_TYPES = ("extractive", "span", "abstractive")


class Origin(StrEnum):
    """Where a gold question comes from."""

    WRITTEN = "written"
    IMPORTED = "imported"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True)
class Place:
    """Words of a document that answer; `doc` is the file name of its version in force."""

    doc: str
    evidence: str = field(repr=False)
    changed: bool = False


@dataclass(frozen=True, slots=True)
class GoldDraft:
    """What somebody wants a gold question to be; without a key it gets one."""

    question: str
    answerable: bool
    answers: tuple[str, ...] = ()
    answer_type: str = "extractive"
    places: tuple[Place, ...] = ()
    key: str = ""
    origin: Origin = Origin.WRITTEN


def holds(text: str, evidence: str) -> bool:
    """Whether a text holds these words, folded: no case, white space or hyphens."""
    return bool(_folded(evidence)) and _folded(evidence) in _folded(text)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s\u00ad\u2010-\u2015-]+", "", plain)


def cleaned(draft: GoldDraft) -> GoldDraft:
    """A draft that can be kept. Raises InvalidEvaluation."""
    question = " ".join(draft.question.replace("\x00", "").split())
    answers = tuple(one.strip() for one in draft.answers if one.strip())
    places = tuple(one for one in draft.places if one.evidence.strip()) if draft.answerable else ()
    expect(bool(question), "The question is empty.", "Write what somebody would ask.")
    expect(
        len(question) <= MAX_QUESTION_CHARS, "The question is too long.", "Write one or two lines."
    )
    expect(len(draft.key) <= MAX_KEY_CHARS, "The id is too long.", "Use 80 characters at most.")
    expect(
        draft.answer_type in ANSWER_TYPES,
        f"There is no kind of answer {draft.answer_type[:20]!r}.",
        f"Use one of {', '.join(ANSWER_TYPES)}.",
    )
    expect(
        not draft.answerable or bool(places),
        "A question that the policies answer needs the words that answer it.",
        "Choose the policy and copy the words from it, or say that no policy answers it.",
    )
    told = sum(map(len, answers)) + sum(len(one.evidence) for one in places)
    expect(
        told <= MAX_TEXT_CHARS and len(places) <= MAX_PLACES,
        "The answers and the words that answer are too long.",
        "Copy the sentences that matter.",
    )
    return GoldDraft(
        question, draft.answerable, answers, draft.answer_type, places, draft.key, draft.origin
    )


def expect(holds_true: bool, message: str, hint: str) -> None:
    if not holds_true:
        raise InvalidEvaluation(message, hint)
