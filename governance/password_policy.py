"""Says why a password is too easy to guess (ASVS 6.2).

Pure. 15 to 128 characters of any kind, spaces included; no rule about capitals or digits. Refused
are well-known long passwords, repetitions, sequences of the alphabet, of digits or of the keyboard,
and what is hardly more than common words or words of the context: the product, the username, the
person's name, the departments. The list here is short on purpose and is no breach list: an operator
sets one with `governance.breach_list_path`, and `breach_list.py` then reads it, offline.
"""

import re
import unicodedata
from collections.abc import Iterable

MIN_CHARS = 15
MAX_CHARS = 128
MIN_DIFFERENT_CHARS = 5
# What must be left over when the words that everybody tries first are taken out.
MIN_CHARS_OF_ITS_OWN = 8
MIN_CONTEXT_WORD_CHARS = 4
SEQUENCE_CHARS = 4
PRODUCT = "lamplight"

# Long ones that people do choose; compared without case, spaces and punctuation.
KNOWN = frozenset(
    """
    correcthorsebatterystaple thequickbrownfox thequickbrownfoxjumpsoverthelazydog
    maytheforcebewithyou tobeornottobethatisthequestion iamyourfatherluke
    itwasthebestoftimesitwastheworstoftimes allyourbasearebelongtous callmeishmael
    onceuponatimethereis twinkletwinklelittlestar happybirthdaytoyou humptydumptysatonawall
    maryhadalittlelamb rosesareredvioletsareblue elementarymydearwatson houstonwehaveaproblem
    supercalifragilisticexpialidocious anappleadaykeepsthedoctoraway
    youshallnotpass winteriscomingwinteriscoming thisisnotmypassword thisismypassword
    iforgotmypassword imustnotforgetmypassword donttellanyonemypassword mypasswordissecret
    loremipsumdolorsitamet openthepodbaydoorshal livelongandprosper
    """.lower().split()
)
# The longer stands before what it contains.
COMMON_WORDS = """
    administrator password hospital princess starwars superman football baseball computer internet
    changeme whatever trustno1 iloveyou sunshine letmein welcome passwort qwertz dragon monkey
    shadow master secret summer winter autumn spring michael doctor nurse admin login qwerty
    azerty policy access health clinic ward user test love pass
    """.lower().split()
SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)
LOOKALIKES = str.maketrans("@$!0135", "asioles")


def normalised(password: str) -> str:
    """The one form under which a password is stored and compared (NFC)."""
    return unicodedata.normalize("NFC", password)


def fault_of(password: str, context: Iterable[str] = ()) -> str | None:
    """What is wrong with a normalised password, as a sentence, or None."""
    if len(password) < MIN_CHARS:
        return f"A password needs at least {MIN_CHARS} characters."
    if len(password) > MAX_CHARS:
        return f"A password has at most {MAX_CHARS} characters."
    if any(unicodedata.category(char) in {"Cs", "Cc"} for char in password):
        return "A password cannot hold control characters."
    plain = _plain(password)
    if len(set(plain)) < MIN_DIFFERENT_CHARS or _repeats(plain):
        return "This password repeats itself."
    readings = (plain, plain.translate(LOOKALIKES), _letters(plain))
    if any(reading in KNOWN for reading in readings):
        return "This password is one of the first that would be tried."
    words = _words(context)
    if min(len(_own_part(reading, words)) for reading in readings[:2]) < MIN_CHARS_OF_ITS_OWN:
        return "This password is made of words and sequences that are easy to guess."
    return None


def _plain(text: str) -> str:
    """The text without case, spaces and the punctuation that people put between words."""
    return re.sub(r"[\s._\-,;:'\"]+", "", text.casefold())


def _letters(plain: str) -> str:
    return "".join(char for char in plain if char.isalpha())


def _repeats(plain: str) -> bool:
    """Whether the text is one short piece again and again, the last time perhaps cut."""
    return any(
        plain == (plain[:period] * len(plain))[: len(plain)]
        for period in range(1, len(plain) // 2 + 1)
    )


def _words(context: Iterable[str]) -> list[str]:
    """What is taken out of a password: the context's words, the longest first, then common ones."""
    texts = (PRODUCT, *context)
    found = {_plain(word) for text in texts for word in (text, *re.split(r"[\s._-]+", text))}
    known = [word for word in found if len(word) >= MIN_CONTEXT_WORD_CHARS]
    return [*sorted(known, key=len, reverse=True), *COMMON_WORDS]


def _own_part(plain: str, words: Iterable[str]) -> str:
    """What is left without these words and without sequences."""
    for word in words:
        plain = plain.replace(word, " ")
    return _without_sequences(plain).replace(" ", "")


def _without_sequences(text: str) -> str:
    kept, at = [], 0
    while at < len(text):
        length = _sequence_length(text, at)
        if length < SEQUENCE_CHARS:
            kept.append(text[at])
            length = 1
        at += length
    return "".join(kept)


def _sequence_length(text: str, start: int) -> int:
    """How many characters from here on run along an alphabet or a keyboard, either way."""
    longest = 0
    for row in SEQUENCES:
        for line in (row, row[::-1]):
            end = start + 1
            while end < len(text) and text[start : end + 1] in line:
                end += 1
            longest = max(longest, end - start)
    return longest
