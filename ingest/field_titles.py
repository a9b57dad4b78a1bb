"""A policy's title and number where no label names them: its own title, a line, the file's name."""

import re
from pathlib import PurePosixPath

from ingest.document import Block, ParsedDocument
from ingest.field_places import front
from ingest.source import title_of

# "IC-001", "CIO 2150-P-08.3", "BOD 18-01", "7.04"; not "12 requires that".
_IDENTIFIER = re.compile(
    r"(?:[A-Z][A-Za-z]{0,9}(?:[ ./-][A-Z]{1,10}){0,2}[ ./-]?)?(?=[\w./-]*\d)[A-Z\d][\w./-]{0,29}"
    r"(?:\s(?:rev(?:ision)?\.?|v(?:ersion)?\.?)\s?\d[\d.]{0,4})?$"
)
_LEADING = re.compile(
    r"^(?P<number>(?P<letters>[A-Z]{1,4}(?:-[A-Z]{2,5}){0,2})[- .]"
    r"(?P<figures>\d{1,4})(?:[.-]\d{1,3}[A-Z]?)*)"
    r"(?:\s*[:–—|-]\s*|\s+|$)(?P<rest>.*)$"
)
_LABELLED = re.compile(
    r"[\s,(–—-]*\b(?:directive|policy|procedure|sop|document)"
    r"(?:\s*(?:#|no\.?|number)\s*[:#]?\s*(?P<number>[A-Z\d][\w ./-]*?)"
    r"|\s+(?P<bare>[A-Z]{2,5}[ -]\d[\w.-]*))\)?$",
    re.IGNORECASE,
)
_IN_LINE = re.compile(
    r"\b(?:Directive|Policy|Procedure|Guideline|Standard|Protocol|SOP)\s+"
    r"\(?(?P<number>[A-Z]{2,5}[- ]\d{1,4}-\d{1,3})\b"
)
_IN_FILE_NAME = re.compile(
    r"^(?P<letters>[A-Za-z]{1,4})[-_ ]?(?P<figures>\d{2,4})[-_ ](?=[A-Za-z])"
)
# Letters and figures that are a thing's name, and not a number of a policy.
_NO_LETTERS = frozenset(
    ("ISO", "IEC", "EN", "DIN", "NIST", "FIPS", "SP", "HL", "SARS", "HIV", "US", "UK", "EU", "VA",
     "NHS", "PM", "AM", "MI", "H", "V", "NO", "P", "VOL", "PART", "PAGE", "STEP")
)  # fmt: skip
# A line of the header, or the name of a first chapter.
_NO_TITLE = re.compile(
    r"\bdate\s*:|^[\d.\s]*(?:introduction|purpose|scope|background|overview|contents|summary"
    r"|policy|procedure|standard operating procedure)$",
    re.IGNORECASE,
)
_MAX_LINE_CHARS, _FIRST_BLOCKS = 120, 8

Found = tuple[str, int, str]


def is_identifier(text: str) -> bool:
    """Whether the text can be a policy's number: letters and figures, and no sentence."""
    return len(text) <= 40 and _IDENTIFIER.match(text) is not None


def number_in(document: ParsedDocument, file_name: str) -> Found | None:
    """Number, page and quote; page 0 for a title or file name. None where two of them differ."""
    title = document.title or ""
    named = _from_file_name(file_name)
    found = _from_title(title) if title != title_of(file_name) else None
    quote, page = _place(title, document)
    if found is None:
        found, page, quote = _from_lines(front(document)[:_FIRST_BLOCKS])
    if found is None:
        return (named, 0, PurePosixPath(file_name).name) if named else None
    return None if named and _digits(named) != _digits(found) else (found, page, quote)


def proposed_title(document: ParsedDocument, file_name: str, number: str | None) -> Found | None:
    """Title, page and quote, without the policy's number; page 0 as above."""
    stated = document.title or ""
    if not stated or stated == title_of(file_name) or not _is_readable(stated):
        return _title_of_file(file_name, number)
    title = _without_number(stated, number)
    quote, page = _place(stated, document)
    if page == 0:
        quote, page = _place(title, document)
    return (title, page, quote if page else stated) if _is_readable(title) else None


def _title_of_file(file_name: str, number: str | None) -> Found | None:
    name = PurePosixPath(file_name).name
    title = title_of(file_name)
    match = _IN_FILE_NAME.match(name)
    if match and (number is None or _digits(number) == _digits(match.group())):
        title = title_of(name[match.end() :])
    # A name of numbers, "cisa-bod-15-01", says which document it is and not what it is about.
    words = title.split()
    numbers = sum(1 for word in words if word.isdecimal())
    return (title, 0, name) if _is_readable(title) and 4 * numbers < len(words) else None


def _from_title(title: str) -> str | None:
    labelled = _LABELLED.search(title)
    if labelled and is_identifier(_labelled_number(labelled)):
        return _labelled_number(labelled)
    leading = _LEADING.match(title)
    return leading["number"] if leading and _is_number(leading) else None


def _labelled_number(match: re.Match[str]) -> str:
    return match["number"] or match["bare"]


def _is_number(match: re.Match[str]) -> bool:
    """Whether letters and figures at the start of a title are its number, by their look."""
    figures = match["figures"]
    if match["letters"].upper() in _NO_LETTERS or re.fullmatch(r"(?:19|20)\d\d", figures):
        return False
    long = len(figures) >= 3 or figures.startswith("0")
    return long or len(match["number"]) > len(match["letters"]) + 1 + len(figures)


def _from_lines(blocks: tuple[Block, ...]) -> tuple[str | None, int, str]:
    for block in blocks:
        match = _IN_LINE.search(block.text) if len(block.text) <= _MAX_LINE_CHARS else None
        if match:
            return match["number"], block.page, block.text
    return None, 0, ""


def _from_file_name(file_name: str) -> str | None:
    match = _IN_FILE_NAME.match(PurePosixPath(file_name).name)
    if not match or match["letters"].upper() in _NO_LETTERS:
        return None
    return f"{match['letters'].upper()}-{match['figures']}"


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal()).lstrip("0")


def _without_number(title: str, number: str | None) -> str:
    labelled = _LABELLED.search(title)
    if labelled and _labelled_number(labelled) == number:
        return title[: labelled.start()].strip()
    leading = _LEADING.match(title)
    if leading and leading["number"] == number:
        return leading["rest"].strip()
    return title


def _place(text: str, document: ParsedDocument) -> tuple[str, int]:
    """The first block that says just this, with its page; page 0 if none does."""
    for block in front(document):
        if block.text.casefold() == text.casefold():
            return block.text, block.page
    return text, 0


def _is_readable(title: str) -> bool:
    """Whether it is words: OCR of a letterhead is not, and neither is a number alone."""
    words = re.findall(r"[^\W\d_]{3,}", title)
    if _NO_TITLE.search(title):
        return False
    odd = sum(1 for char in title if not (char.isalnum() or char in " .,:;-–—'’\"“”()/&+#!?"))
    return bool(words) and odd <= len(title) // 20 and not is_identifier(title)
