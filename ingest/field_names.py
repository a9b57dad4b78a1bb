"""The fields of a policy, and what hospitals call them in header tables, forms and lists."""

import re
from enum import StrEnum


class FieldName(StrEnum):
    """What is kept about a policy besides its text."""

    POLICY_NUMBER = "policy_number"
    TITLE = "title"
    AREA = "area"
    APPLIES_TO = "applies_to"
    OWNER = "owner"
    ORIGINATED = "originated"
    LAST_APPROVED = "last_approved"
    EFFECTIVE_FROM = "effective_from"
    LAST_REVISED = "last_revised"
    REVIEW_DUE = "review_due"
    SUPERSEDES = "supersedes"


DATES = frozenset(
    (
        FieldName.ORIGINATED,
        FieldName.LAST_APPROVED,
        FieldName.EFFECTIVE_FROM,
        FieldName.LAST_REVISED,
        FieldName.REVIEW_DUE,
    )
)

_KINDS = (
    "policy", "document", "procedure", "directive", "sop", "guideline", "protocol", "form", "doc",
)  # fmt: skip
_NUMBERS = (
    "number", "no", "nr", "num", "id", "ref", "reference", "code", "reference number", "number id",
)  # fmt: skip
_LABELS: dict[FieldName, tuple[str, ...]] = {
    FieldName.POLICY_NUMBER: (
        *(f"{kind} {number}" for kind in _KINDS for number in _NUMBERS),
        *(f"{kind} identifier" for kind in _KINDS[:2]),
        *_KINDS[3:5], "reference number", "ref no", "ref number", "document control number",
        "control number",
    ),
    FieldName.TITLE: (
        "title", "policy title", "policy name", "document title", "document name", "name of policy",
        "title of policy", "title of document", "procedure title", "procedure name", "subject",
        "sop title", "policy subject",
    ),
    FieldName.AREA: (
        "area", "policy area", "service area", "functional area", "department", "category",
        "policy category", "directorate", "division", "specialty", "manual", "subject area",
    ),
    FieldName.APPLIES_TO: (
        "applies to", "applicable to", "applicability", "this policy applies to", "audience",
        "target audience", "intended audience", "staff groups", "policy applies to",
        "who this applies to", "target group", "affected staff",
    ),
    FieldName.OWNER: (
        "owner", "policy owner", "document owner", "procedure owner", "process owner",
        "responsible department", "responsible office", "responsible person", "responsible officer",
        "responsible owner", "responsible executive", "responsible director", "executive owner",
        "policy lead", "document lead", "owned by", "policy custodian", "document custodian",
    ),
    FieldName.ORIGINATED: (
        "originated", "origination", "origination date", "date originated", "origin date",
        "date of origin", "original date", "original issue date", "original release date",
        "original effective date", "date first issued", "first issued", "first published",
        "first approved", "date created", "creation date", "created", "created on",
        "originally issued",
    ),
    FieldName.LAST_APPROVED: (
        "approved", "approved on", "approval date", "date approved", "date of approval",
        "last approved", "last approval", "date last approved", "last approval date", "ratified",
        "ratified on", "date ratified", "ratification date", "date of ratification",
        "cio approval date", "board approval date", "approved by", "ratified by",
    ),
    FieldName.EFFECTIVE_FROM: (
        "effective", "effective date", "effective from", "effective as of", "effective on",
        "date effective", "effective start date", "policy effective date", "in force from",
        "in force since", "valid from", "valid from date", "policy valid from date",
        "implementation date", "date implemented",
        "date of implementation", "commencement date", "comes into force", "start date",
        "current effective date",
    ),
    FieldName.LAST_REVISED: (
        "revised", "revised on", "last revised", "revision date", "date revised",
        "date of revision", "date of last revision", "last revision", "last revision date",
        "date last revised", "revision dates", "dates revised", "last updated", "updated",
        "date updated", "date last updated", "last update", "update date", "last modified",
        "last amended", "date amended", "last changed", "amended",
    ),
    FieldName.REVIEW_DUE: (
        "review due", "review due date", "due for review", "next review", "next review date",
        "date of next review", "next review due", "next review on", "next due", "review by",
        "review before", "to be reviewed by", "next scheduled review", "scheduled review date",
        "renewal date", "expiry date", "expires", "expiration", "expiration date", "valid until",
        "valid to", "valid to date", "policy valid to date",
        "next revision", "next revision date", "due date", "review no later than",
    ),
    FieldName.SUPERSEDES: (
        "supersedes", "superseded document", "superseded documents", "superseded policy",
        "replaces", "replaces policy", "replaces document", "this policy supersedes",
        "previous version", "supersedes policy",
    ),
}  # fmt: skip
# Fields that are not kept; a value ends where one of them begins, and a table of them is a header.
OTHER_LABELS = (
    "version", "version number", "version no", "status", "author", "authors", "page", "pages",
    "issued", "issue date", "date issued", "date of issue", "issued by", "reviewed", "reviewed by",
    "date reviewed", "last reviewed", "last review", "last review date", "reviewed on",
    "review date", "review cycle", "review frequency", "review period", "review interval",
    "prepared by", "written by", "contact", "signature", "signed", "classification", "keywords",
    "document type", "policy type", "type", "distribution", "related documents", "references",
    "related policies", "scope", "from", "to", "cc", "date", "revision", "revision number",
    "facility", "facilities", "consultation", "committee", "approving committee", "approving body",
    "revocation", "background", "purpose", "section", "location",
)  # fmt: skip
# Review dates of which only their place among the other dates says what they mean.
REVIEW_DATE = "review date"
REVIEW_CYCLES = frozenset(
    ("review cycle", "review frequency", "review period", "review interval", "next review",
     "review due", "next review date", "review")
)  # fmt: skip
_PLURAL_OF_PEOPLE = re.compile(r"\(s\)")
_NOT_A_WORD = re.compile(r"[^a-z0-9#]+")
_BY_LABEL = {label: name for name, labels in _LABELS.items() for label in labels}


def folded_label(text: str) -> str:
    """A label without its case, dots, colons, dashes and number signs told apart."""
    plain = _PLURAL_OF_PEOPLE.sub("", text.casefold()).replace("№", "no")
    return _NOT_A_WORD.sub(" ", plain).strip().rstrip("#").strip()


def field_of(label: str) -> FieldName | None:
    """The field that a label names, if it names one; case and punctuation do not matter."""
    return _BY_LABEL.get(folded_label(label))


def is_label(text: str) -> bool:
    """Whether the text is a label of a policy's header, kept or not."""
    folded = folded_label(text)
    return folded in _BY_LABEL or folded in OTHER_LABELS


def labels() -> tuple[str, ...]:
    """Every known label in lower case, the longest first."""
    return tuple(sorted((*_BY_LABEL, *OTHER_LABELS), key=len, reverse=True))
