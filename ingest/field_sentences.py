"""Sentences in which a policy speaks of itself: since when it counts, what it replaces, for whom.

Only sentences whose subject is the document ("This policy ...") are read; of all others it is not
known what they are about.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.document import Block, BlockKind
from ingest.field_names import FieldName
from ingest.sentences import sentences

_SUBJECT = (
    r"this (?:version of (?:this|the) )?(?:policy|procedure|directive|document|guideline|protocol"
    r"|standard|version|standard operating procedure|sop|manual)"
)
_PATTERNS = tuple(
    (field, re.compile(pattern, re.IGNORECASE))
    for field, pattern in (
        (
            FieldName.EFFECTIVE_FROM,
            _SUBJECT + r" (?:is|becomes|shall be|will be|takes|comes into|shall take|will take)"
            r" (?:effective|effect|force|in force)(?: on| from| as of)? (?P<value>\S.{5,25})",
        ),
        (FieldName.SUPERSEDES, _SUBJECT + r" (?:supersedes|replaces|rescinds) (?P<value>.+)"),
        (FieldName.APPLIES_TO, _SUBJECT + r" applies to (?P<value>.+)"),
        (
            None,
            _SUBJECT + r" (?:is|will be|shall be|must be|should be|is to be) reviewed"
            r" (?P<value>(?:at least )?(?:every|annual).+)",
        ),
    )
)
_PEOPLE = re.compile(
    r"\b(?:staff|employees?|personnel|workers?|contractors?|clinicians?|nurs(?:e|es|ing)|doctors?"
    r"|physicians?|volunteers?|students?|visitors?|everyone|users|departments?|agencies)\b",
    re.IGNORECASE,
)
_MAX_SENTENCE_CHARS = 400
_HEADINGS = frozenset(
    ("audience", "target audience", "intended audience", "applies to", "applicability",
     "who does this policy apply to", "who this policy applies to")
)  # fmt: skip
_NUMBERING = re.compile(r"^[\dA-Z]{0,3}(?:\.\d+)*[.)]?\s+")


@dataclass(frozen=True, slots=True)
class Said:
    """What a sentence says of a field; field None: how often the document is reviewed."""

    field: FieldName | None
    value: str
    page: int
    quote: str


def said(blocks: Sequence[Block]) -> Iterator[Said]:
    """What sentences and sections of these blocks say of the document itself."""
    for index, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING:
            yield from _section(block, blocks[index + 1 : index + 3])
        elif block.kind is not BlockKind.TABLE:
            yield from _sentences(block)


def _sentences(block: Block) -> Iterator[Said]:
    for sentence in sentences(block.text[:5000]):
        if len(sentence) > _MAX_SENTENCE_CHARS:
            continue
        for field, pattern in _PATTERNS:
            match = pattern.search(sentence)
            if match and _is_meant(field, match):
                value = match["value"].rstrip(" .")
                yield Said(field, value, block.page, sentence)


def _is_meant(field: FieldName | None, match: re.Match[str]) -> bool:
    if field is FieldName.APPLIES_TO:
        return bool(_PEOPLE.search(match["value"])) and not match["value"].endswith(":")
    return field is not FieldName.SUPERSEDES or any(char.isdigit() for char in match["value"])


def _section(heading: Block, following: Sequence[Block]) -> Iterator[Said]:
    """The one paragraph of a section on whom the policy is for."""
    name = _NUMBERING.sub("", heading.text).casefold().strip(" :?")
    if name not in _HEADINGS or not following or following[0].kind is not BlockKind.PARAGRAPH:
        return
    text = following[0].text
    alone = len(following) < 2 or following[1].kind is BlockKind.HEADING
    if alone and len(text) <= _MAX_SENTENCE_CHARS and not text.endswith(":"):
        quote = f"{heading.text} / {text}"
        yield Said(FieldName.APPLIES_TO, text, following[0].page, quote)
