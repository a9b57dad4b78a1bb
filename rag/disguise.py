"""Text that stands in another text in disguise: encoded, spelled apart, turned round, invisible.

Pure. A reader who checks a policy sees a meaningless run of characters; a model may read it. Each
disguise is undone where it stands, and the caller judges what comes out.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

LEAST_LETTERS = 8  # shorter finds are chance
LEAST_READABLE = 0.9  # share of letters, digits and plain punctuation in what was decoded
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
# Letters of other alphabets that look like Latin ones.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһӏІАЕОРСТХМНКВαοενικρτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhlIAEOPCTXMHKBaoevikptuxABEZHIKMNOPTYX",
)
_DIGITS_FOR_LETTERS = str.maketrans("013457@$", "oieastas")
_ACCENTS = re.compile("[\u0300-\u036f]")
_MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- "
    ".-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE: Mapping[str, str] = dict(
    zip(_MORSE_SIGNS.split(), "abcdefghijklmnopqrstuvwxyz0123456789", strict=True)
)


@dataclass(frozen=True, slots=True)
class Disguise:
    """A stretch of a text, `text[start:end]`, and what it says once it is undone."""

    start: int
    end: int
    said: str


def plain(text: str) -> str:
    """Fold case, accents, white space and invisible characters; look-alike letters stay."""
    text = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", text)).lower().replace("’", "'")
    return " ".join(text.split())


def spellings(text: str) -> Iterator[str]:
    """Yield a text folded; also with look-alike letters, and digits for letters, set right."""
    folded = plain(text)
    yield folded
    latin = plain(text.translate(_LOOKALIKES))
    if latin != folded:
        yield latin
    if re.search(r"[a-z][013457@$]+[a-z]", latin):
        yield latin.translate(_DIGITS_FOR_LETTERS)


def undone(text: str) -> Iterator[Disguise]:
    """Yield what stands in a text in disguise, by kind of disguise."""
    for pattern, undo in _RUNS:
        for found in pattern.finditer(text):
            yield from _undone(text, found.start(), found.end(), undo)
    for pattern, undo in _IN_A_LINE:
        for start, end in _lines(text, pattern):
            yield from _undone(text, start, end, undo)


def _undone(
    text: str, start: int, end: int, undo: Callable[[str], str | None]
) -> Iterator[Disguise]:
    said = undo(text[start:end])
    if said is not None and _is_readable(said):
        yield Disguise(start, end, said)


def _lines(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield the lines that hold a sign of a disguise: what is plain in them belongs to it."""
    done = 0
    for found in pattern.finditer(text):
        if found.start() >= done:
            end = text.find("\n", found.end())
            done = len(text) if end < 0 else end
            yield text.rfind("\n", 0, found.start()) + 1, done


def _is_readable(said: str) -> bool:
    plainly = sum(char.isalnum() or char in " .,:;!?'\"-_/@()\n" for char in said)
    letters = sum(map(str.isalpha, said))
    return letters >= LEAST_LETTERS and plainly >= LEAST_READABLE * len(said)


def _base64(run: str) -> str | None:
    try:
        padded = run.rstrip("=") + "=" * (-len(run.rstrip("=")) % 4)
        return base64.b64decode(padded, altchars=b"-_" if {*run} & {*"-_"} else None).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _hex(run: str) -> str | None:
    try:
        return bytes.fromhex(re.sub(r"[\s:,]|0x|\\x", "", run)).decode()
    except ValueError:
        return None


def _binary(run: str) -> str | None:
    bits = "".join(run.split())
    try:
        return int(bits, 2).to_bytes(len(bits) // 8).decode()
    except (ValueError, OverflowError):
        return None


def _decimal(run: str) -> str | None:
    codes = [int(number) for number in re.findall(r"\d+", run)]
    return "".join(map(chr, codes)) if all(32 <= code < 127 for code in codes) else None


def _morse(run: str) -> str | None:
    words = re.split(r"\s*/\s*|\s{2,}", run.strip())
    return " ".join("".join(_MORSE.get(sign, "?") for sign in word.split()) for word in words)


def _escapes(run: str) -> str | None:
    said = html.unescape(unquote(run))
    return re.sub(r"\\[ux]\{?([0-9a-fA-F]{2,5})\}?", lambda m: chr(int(m[1], 16)), said)


def _apart(run: str) -> str | None:
    return _SPELLED.sub(_joined, _INVISIBLE.sub("", run))


def _joined(spelled: re.Match[str]) -> str:
    words = re.split(r"\s{2,}|\s?[/|]\s?", spelled.group())
    return " ".join(re.sub(r"[\s.\-_*]", "", word) for word in words)


def _tags(run: str) -> str | None:
    return "".join(chr(ord(char) - 0xE0000) for char in run if ord(char) >= 0xE0020)


def _selectors(run: str) -> str | None:
    codes = [ord(char) for char in run]
    numbers = [code - 0xFE00 if code < 0xE0100 else code - 0xE0100 + 16 for code in codes]
    return bytes(numbers).decode("latin-1")


def _turned(run: str) -> str | None:
    return run[::-1]


def _rot13(run: str) -> str | None:
    return codecs.encode(run, "rot13")


# Words that orders to a model rarely do without, as they look turned round and by ROT13.
_TELLING = ("instructions", "instruction", "ignore", "disregard", "prompt", "assistant")
_BACK = "|".join(word[::-1] for word in _TELLING)
_TURNED_13 = "|".join(codecs.encode(word, "rot13") for word in _TELLING)
# Words spelled letter by letter.
_SPELLED = re.compile(r"(?<!\w)(?:\w(?:[ .\-_*]{1,3}|\s?[/|]\s?)){4,}\w(?!\w)")
_RUNS: tuple[tuple[re.Pattern[str], Callable[[str], str | None]], ...] = (
    (re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}"), _base64),
    (re.compile(r"(?:(?:\\x|0x)?[0-9a-fA-F]{2}[\s:,]?){8,}"), _hex),
    (re.compile(r"(?:[01]{8}\s?){8,}"), _binary),
    (re.compile(r"(?:\d{2,3}[\s,]+){8,}\d{2,3}"), _decimal),
    (re.compile(r"(?:[.-]{1,5}(?:\s*/\s*|\s+)){8,}[.-]{1,5}"), _morse),
    (re.compile("[\U000e0000-\U000e007f]{4,}"), _tags),
    (re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}"), _selectors),
)
_IN_A_LINE: tuple[tuple[re.Pattern[str], Callable[[str], str | None]], ...] = (
    (re.compile(r"%[0-9a-fA-F]{2}|\\[ux]\{?[0-9a-fA-F]{2}|&#x?[0-9a-fA-F]"), _escapes),
    (_SPELLED, _apart),
    (re.compile(_BACK, re.I), _turned),
    (re.compile(_TURNED_13, re.I), _rot13),
)
