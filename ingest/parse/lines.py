"""How a line of plain text shows what it is: a list item, a numbered heading, a heading."""

import re

_BULLET = re.compile(r"(?:[•◦▪▫■□●○◆◇➢➤►▶✓✔❖❑❏⁃∙·‣–—*+-]|o(?=\s+\w))\s+(?=\S)")
_NUMBER = re.compile(
    r"(?:\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,6})[.)]|\((?:\d{1,3}|[a-z]|[ivx]{1,6})\))\s+(?=\S)"
)
_NUMBERED_HEADING = re.compile(
    r"(?:(?i:section|chapter|part|appendix|annex|article)\s+)?"
    r"(?:(?P<digits>\d{1,2}(?:\.\d{1,3})*)[.):]?"
    r"|(?P<letters>(?:[A-Z]|[IVXL]{1,6})(?:\.\d{1,3})*)[.):])\s+(?=[A-Z“\"(])"
)
_SENTENCE_END = (".", ",", ";", "?!", "…")
_HEADING_MAX_WORDS = 16
_LEADER = re.compile(r"\.{4,}|(?:\s\.){4,}|…{2,}|_{4,}")


def list_marker(line: str) -> str | None:
    """The marker a list item begins with, blanks included; None if it is none."""
    match = _BULLET.match(line) or _NUMBER.match(line)
    return match.group() if match else None


def is_bullet(line: str) -> bool:
    """Whether the line begins with a bullet, as opposed to a number."""
    return _BULLET.match(line) is not None


def with_plain_marker(line: str) -> str:
    """A list item whose bullet, whatever its shape, is written "- "."""
    match = _BULLET.match(line)
    return f"- {line[match.end() :]}" if match else line


def number_depth(line: str) -> int:
    """1 for "2. Scope", 2 for "2.1 Staff", 0 for a line without a number."""
    match = _NUMBERED_HEADING.match(line)
    return (match["digits"] or match["letters"]).count(".") + 1 if match else 0


def could_be_heading(line: str, max_words: int | None = None) -> bool:
    """Whether the line is short, holds letters, and does not end as a sentence does."""
    words = line.split()
    return (
        0 < len(words) <= (max_words or _HEADING_MAX_WORDS)
        and any(char.isalpha() for char in line)
        and not line.endswith(_SENTENCE_END)
        and not is_contents_entry(line)
    )


def is_contents_entry(line: str) -> bool:
    """Whether the line is an entry of a table of contents: dots that lead to a page number."""
    return _LEADER.search(line) is not None


def is_upper_case(line: str) -> bool:
    """Whether all letters are capitals, and there are at least four of them."""
    letters = [char for char in line if char.isalpha()]
    return len(letters) >= 4 and all(char.isupper() for char in letters)
