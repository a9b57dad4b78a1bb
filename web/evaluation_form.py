"""The form of a gold question and the file of many: what is typed or sent becomes drafts. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from governance.errors import InvalidEvaluation
from governance.gold_drafts import ANSWER_TYPES, MAX_PLACES, GoldDraft, Origin, Place
from governance.gold_questions import GoldQuestion
from governance.policies import DocumentSummary
from rag.errors import QuestionFileBad
from rag.questions import read_questions

MAX_FILE_BYTES = 4_000_000
FEW_PLACES = 2  # shown empty, so that a second policy can be added without JavaScript


@dataclass(frozen=True, slots=True)
class GoldForm:
    """What stands in the form. answerable: `yes`, `no` or nothing yet; feedback: where it is from.

    places: file name and words, as many rows as are shown.
    """

    question: str = field(default="", repr=False)
    answerable: str = ""
    answers: str = field(default="", repr=False)
    answer_type: str = ANSWER_TYPES[0]
    places: tuple[Place, ...] = ()
    feedback: str = ""

    @property
    def rows(self) -> tuple[Place, ...]:
        """The places with an empty row more."""
        shown = [one for one in self.places if one.doc or one.evidence]
        wanted = min(MAX_PLACES, max(FEW_PLACES, len(shown) + 1))
        return (*shown, *[Place("", "")] * (wanted - len(shown)))


def form_of(known: GoldQuestion) -> GoldForm:
    """The form of a question that is there."""
    return GoldForm(
        known.question,
        "yes" if known.answerable else "no",
        "\n".join(known.answers),
        known.answer_type,
        known.places,
    )


def form_in(fields: Mapping[str, str]) -> GoldForm:
    """What was typed."""
    places = (
        Place(fields.get(f"doc-{n}", ""), fields.get(f"evidence-{n}", ""))
        for n in range(1, MAX_PLACES + 1)
    )
    return GoldForm(
        fields.get("question", ""),
        fields.get("answerable", ""),
        fields.get("answers", ""),
        fields.get("answer_type", ""),
        tuple(one for one in places if one.doc or one.evidence),
        fields.get("feedback", ""),
    )


def draft_of(form: GoldForm) -> GoldDraft:
    """What is to be kept. Raises InvalidEvaluation."""
    if form.answerable not in ("yes", "no"):
        raise InvalidEvaluation(
            "Say whether a policy answers this question.", "Choose one of the two."
        )
    return GoldDraft(
        form.question,
        form.answerable == "yes",
        tuple(line for line in form.answers.splitlines() if line.strip()),
        form.answer_type,
        form.places,
        origin=Origin.FEEDBACK if form.feedback else Origin.WRITTEN,
    )


def prefilled(question: str, files: Sequence[str], feedback: str) -> GoldForm:
    """The form for a question that a reader found answered wrongly."""
    return GoldForm(
        question,
        "yes" if files else "",
        places=tuple(Place(one, "") for one in files[:FEW_PLACES]),
        feedback=feedback,
    )


def drafts_in(content: bytes) -> tuple[GoldDraft, ...]:
    """The questions of a file. Raises InvalidEvaluation."""
    if not content:
        raise InvalidEvaluation("No file was chosen.", "Choose a file of questions.")
    if len(content) > MAX_FILE_BYTES:
        raise InvalidEvaluation(
            f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB.", "Send it in parts."
        )
    try:
        lines = content.decode("utf-8-sig").splitlines()
        read = read_questions(lines)
    except UnicodeDecodeError as error:
        raise InvalidEvaluation("The file is not plain text in UTF-8.", "Save it as that.") from (
            error
        )
    except QuestionFileBad as error:
        raise InvalidEvaluation(error.message, error.hint) from error
    return tuple(
        GoldDraft(
            one.question,
            one.answerable,
            one.answers,
            one.answer_type,
            tuple(Place(gold.doc, gold.evidence) for gold in one.gold),
            # A number of a line is no id: it would change the questions of another file.
            one.id if "id" in json.loads(line) else "",
            Origin.IMPORTED,
        )
        for one, line in zip(read, filter(str.strip, lines), strict=True)
    )


def file_of(questions: Sequence[GoldQuestion]) -> str:
    """The questions as a file, one JSON object a line."""
    return "".join(json.dumps(one.as_line(), ensure_ascii=False) + "\n" for one in questions)


def files_in_force(documents: Sequence[DocumentSummary]) -> dict[str, str]:
    """Which policies can be chosen: their titles by the names of their files."""
    return {one.file_name: one.title for one in documents}
