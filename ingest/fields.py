"""What a document says about itself, proposed for a person to confirm.

A wrong proposal is worse than none: a value is proposed only where the document labels it, from the
best place that has it; where two equally good places differ, nothing is proposed. The name of the
file comes last.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from ingest.dates import Order, dates_in, order_of
from ingest.document import ParsedDocument
from ingest.field_names import DATES, FieldName
from ingest.field_places import Stated, Where, front, stated
from ingest.field_proposal import Certainty, ProposedField, read_date
from ingest.field_reviews import settle_review
from ingest.field_sentences import Said, said
from ingest.field_titles import is_identifier, number_in, proposed_title

__all__ = ["Certainty", "FieldName", "ProposedField", "propose_fields"]

_MAX_CHARS = {
    FieldName.AREA: 80,
    FieldName.OWNER: 100,
    FieldName.APPLIES_TO: 400,
    FieldName.SUPERSEDES: 160,
}
_MAX_CHARS_FOR_ORDER = 1_000_000
# A label on a line of its own may be one of a form or of a rule; these need company.
_NEED_COMPANY = frozenset((FieldName.AREA, FieldName.OWNER))
_BLANK = re.compile(
    r"(?:[\s_.\-–—/\[\]<>()]*|n/?a|none|nil|not applicable|tb[acd]"
    r"|to be (?:confirmed|agreed|decided)|not (?:yet )?\w+|new(?: policy| document)?"
    r"|insert\b.*|enter\b.*|x+)\.?$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"_{3,}|^\s*[\[<{].*[\]>}]\s*$|<\w[^>]*>|\.{4,}")
_SUPERSEDING = re.compile(
    r"^(?:(?:would|will|this \w+|it)\s+)*(?:supersedes?|replaces?)\s+", re.IGNORECASE
)
_ASIDE = re.compile(r",?\s+(?:which|and is|that)\b.*$", re.DOTALL)
_LABEL_LIKE = re.compile(r"\w\)?:(?:\s|$)")
_GENERIC = re.compile(r"^(?:all|any)\b|^(?:previous|earlier|prior) (?:versions?|polic)", re.I)


def propose_fields(document: ParsedDocument, file_name: str) -> tuple[ProposedField, ...]:
    """Propose at most one value for each field, in the fields' order."""
    order = order_of(_start(document))
    lines = [one for one in stated(document) if not _is_blank(one.value)]
    sentences = tuple(said(front(document)))
    found: dict[FieldName, ProposedField] = {}
    for name in FieldName:
        proposed = _from_lines(name, lines, order) or _from_sentences(name, sentences, order)
        if proposed:
            found[name] = proposed
    number = found.get(FieldName.POLICY_NUMBER) or _number(document, file_name)
    title = found.get(FieldName.TITLE) or _title(document, file_name, number)
    found |= {one.name: one for one in (number, title) if one}
    settle_review(found, lines, sentences, order)
    _drop_what_contradicts(found)
    return tuple(found[name] for name in FieldName if name in found)


def _start(document: ParsedDocument) -> Iterator[str]:
    """The text in which dates are looked for that show the order of their numbers."""
    room = _MAX_CHARS_FOR_ORDER
    for text in document.page_texts:
        yield text[:room]
        room -= len(text)
        if room <= 0:
            return


def _from_lines(
    name: FieldName, lines: Sequence[Stated], order: Order | None
) -> ProposedField | None:
    """The value from the best place; None if places equally good say different things."""
    read = [(one, _read(name, one, order)) for one in lines if one.field is name]
    found = [(one, value) for one, value in read if value is not None]
    if not found or (name in _NEED_COMPANY and not _has_company(found[0][0], lines)):
        return None
    best = min(one.where for one, _ in found)
    values = {value[0]: (one, value) for one, value in reversed(found) if one.where == best}
    if len(values) > 1 and name is not FieldName.TITLE:
        return None
    line, (text, certainty) = next(reversed(values.values()))
    return ProposedField(name, text, line.page, line.quote, certainty)


def _has_company(line: Stated, lines: Sequence[Stated]) -> bool:
    near = {one.field for one in lines if one.where == line.where and one.page == line.page}
    return line.where is Where.TABLE or len(near - {None}) >= 2


def _read(name: FieldName, line: Stated, order: Order | None) -> tuple[str, Certainty] | None:
    if name in DATES:
        return read_date(name, line, order)
    if name is FieldName.POLICY_NUMBER:
        return (line.value, Certainty.STATED) if is_identifier(line.value) else None
    if not line.colon or line.where in (Where.NEXT_LINE, Where.END):
        return None
    # In a line, a label that is not known to us may begin anywhere before its colon.
    if line.where is Where.LINE and _LABEL_LIKE.search(line.value):
        return None
    text = _text(name, line.value)
    return (text, Certainty.STATED) if text else None


def _text(name: FieldName, value: str) -> str | None:
    text = value.strip(" .;,|")
    if name is FieldName.TITLE and text[:1].islower():
        return None
    if name is FieldName.SUPERSEDES:
        text = _ASIDE.sub("", _SUPERSEDING.sub("", text))
        if _GENERIC.match(text):
            return None
    if _is_blank(text) or len(text) > _MAX_CHARS.get(name, 200) or not text[0].isalnum():
        return None
    return text if any(char.isalpha() for char in text) else None


def _is_blank(value: str) -> bool:
    return bool(_BLANK.match(value) or _PLACEHOLDER.search(value))


def _from_sentences(
    name: FieldName, sentences: Iterable[Said], order: Order | None
) -> ProposedField | None:
    for sentence in sentences:
        if sentence.field is not name:
            continue
        text = _text(name, sentence.value)
        if name in DATES:
            found = dates_in(sentence.value, order)
            text = found[0].day.isoformat() if found and found[0].whole else None
        if text:
            return ProposedField(name, text, sentence.page, sentence.quote, Certainty.LIKELY)
    return None


def _number(document: ParsedDocument, file_name: str) -> ProposedField | None:
    found = number_in(document, file_name)
    return found and ProposedField(FieldName.POLICY_NUMBER, *found, Certainty.LIKELY)


def _title(
    document: ParsedDocument, file_name: str, number: ProposedField | None
) -> ProposedField | None:
    found = proposed_title(document, file_name, number.value if number else None)
    return found and ProposedField(FieldName.TITLE, *found, Certainty.LIKELY)


def _drop_what_contradicts(found: dict[FieldName, ProposedField]) -> None:
    """Dates that cannot be in this order were misread, or mean something else."""
    for earlier, later in (
        (FieldName.EFFECTIVE_FROM, FieldName.REVIEW_DUE),
        (FieldName.LAST_APPROVED, FieldName.REVIEW_DUE),
        (FieldName.LAST_REVISED, FieldName.REVIEW_DUE),
    ):
        if earlier in found and later in found and found[earlier].value >= found[later].value:
            del found[later]
    first = found.get(FieldName.ORIGINATED)
    if first and any(found[name].value < first.value for name in DATES & found.keys()):
        del found[FieldName.ORIGINATED]
