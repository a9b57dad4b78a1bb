"""Text as it should be stored: one Unicode form, nothing invisible, words whole again."""

import re
import unicodedata
from collections.abc import Sequence

# What a reader cannot see but a model reads: zero-width and bidirectional marks, Unicode tags,
# variation selectors, soft hyphens, control codes. Hidden instructions travel in these.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
# Of these, what says something to a model alone: Unicode tags, and marks that turn the order over.
HIDDEN_CODES = re.compile("[\U000e0000-\U000e007f\u202d\u202e]")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000 ]+")
# Latin ligatures and their likes; NFKC as a whole would also flatten superscripts (10² to 102).
_LIGATURES = {ord(char): unicodedata.normalize("NFKC", char) for char in "ﬀﬁﬂﬃﬄﬅﬆ"}
# Bullets of symbol fonts, which stand in Unicode's private area.
_PRIVATE_BULLETS = re.compile("[\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf02d\uf0a8\uf06f]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
HYPHENS = "-\u2010\u2011\u00ad"
# What pdfium writes where it saw a hyphen at the end of a line.
LINE_END_HYPHEN = "\ufffe"
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)*")
# A prefix after which a hyphen at the line's end is one that was written, not one of typesetting.
_HYPHEN_PREFIXES = frozenset(("non", "self", "well", "ex", "all", "half", "cross", "long", "short"))


def clean(text: str) -> str:
    """Normal form C, visible characters only, single blanks, line feeds as line ends."""
    text = _BREAKS.sub("\n", text).translate(_LIGATURES)
    text = _PRIVATE.sub("", _PRIVATE_BULLETS.sub("•", text))
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return "\n".join(_BLANKS.sub(" ", line).strip() for line in text.split("\n")).strip("\n")


def clean_line(text: str) -> str:
    """The same for text that is one line by nature: a heading, a cell, a title."""
    return " ".join(clean(text).split())


def vocabulary(lines: Sequence[str]) -> frozenset[str]:
    """The words of a document in lower case, hyphenated ones whole, halves of broken ones not."""
    words: set[str] = set()
    broken = False
    for line in lines:
        found = _WORD.findall(line)
        whole = found[1:] if broken else found
        broken = line.endswith(tuple(HYPHENS + LINE_END_HYPHEN))
        words.update(word.lower() for word in (whole[:-1] if broken else whole))
    return frozenset(words)


def join_lines(lines: Sequence[str], words: frozenset[str]) -> str:
    """One paragraph out of its lines; words broken at a line's end become whole.

    words: the document's own vocabulary, which decides between "behavioral" and "follow-up".
    """
    text = ""
    for line in lines:
        text = _join(text, line, words) if text else line
    return text


def _join(before: str, after: str, words: frozenset[str]) -> str:
    broken = before[-1] in HYPHENS + LINE_END_HYPHEN and before[-2:-1].isalnum()
    if not (broken and after[:1].isalnum()):
        return f"{before} {after}"
    stem = before[:-1]
    left = _WORD.findall(stem.rsplit(" ", 1)[-1]) or [""]
    right = _WORD.match(after)
    keep = right is None or _is_written_hyphen(left[-1].lower(), right.group().lower(), words)
    return f"{stem}-{after}" if keep or after[0].isupper() or stem[-1].isdigit() else stem + after


def _is_written_hyphen(left: str, right: str, words: frozenset[str]) -> bool:
    """Whether "left-right" was meant with its hyphen, judged by the document's other words."""
    if left + right in words:
        return False
    if f"{left}-{right}" in words or "-" in left or left in _HYPHEN_PREFIXES:
        return True
    if len(left) > 3 and left in words:
        return True
    return len(left) > 2 and len(right) > 2 and left in words and right in words
