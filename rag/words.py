"""Words as they are compared: folded, stemmed, without the ones that say nothing.

Pure. The same folding serves the check of an answer, the decision to abstain and the scores.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
STOP_WORDS = frozenset(
    TOKEN.findall(
        "a about after all also am an and any are as at be because been being both but by can "
        "could did do does doing done each either for from further had has have having he her "
        "here hers him his how i if in into is it its itself just like may me might more most "
        "must my of off on once only or other our out over own per shall she should so some such "
        "than that the their them then there these they this those through thus to too under up "
        "upon us very was we were what when where which while who whom whose why will with "
        "within would yes you your "
        "not no nor never none cannot without "
        "according based stated states document extract extracts passage provided following "
        "includes include including"
    )
)
SUFFIXES = (
    ("ational", "ate"),
    ("ization", "ize"),
    ("isation", "ize"),
    ("izations", "ize"),
    ("isations", "ize"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("iveness", "ive"),
    ("ements", ""),
    ("ement", ""),
    ("ments", ""),
    ("ment", ""),
    ("ations", "ate"),
    ("ation", "ate"),
    ("ities", "ity"),
    ("ically", "ic"),
    ("ising", "ize"),
    ("izing", "ize"),
    ("ised", "ize"),
    ("ises", "ize"),
    ("ise", "ize"),
    ("ies", "y"),
    ("ied", "y"),
    ("ings", ""),
    ("ing", ""),
    ("edly", ""),
    ("ers", ""),
    ("ors", "or"),
    ("ed", ""),
    ("es", ""),
    ("er", ""),
    ("ly", ""),
    ("s", ""),
    ("al", ""),
)
MIN_STEM_LETTERS = 3
MIN_SHARED_LETTERS = 5


def fold(text: str) -> str:
    """Fold case, accents, typographic forms, hyphenation and white space."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    text = text.replace("\u00ad", "").replace("’", "'")
    text = re.sub(r"[‐‑‒–—−]", "-", text)
    text = re.sub(r"(?<=\w)-\s*\n\s*(?=\w)", "", text)
    return re.sub(r"\s+", " ", text).strip()


def tokens(text: str) -> list[str]:
    """Return the words and numbers of a text, folded."""
    return TOKEN.findall(fold(text))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Cut a word to what its forms share; made to be stable rather than pretty."""
    word = word.removesuffix("'s").removesuffix("'")
    if any(c.isdigit() for c in word):
        return word
    for suffix, instead in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= MIN_STEM_LETTERS:
            if suffix == "s" and word.endswith(("ss", "us", "is")):
                break
            word = word.removesuffix(suffix) + instead
            break
    if len(word) > MIN_STEM_LETTERS and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > MIN_STEM_LETTERS else word


def content_words(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order, repeats kept."""
    return [stem(t) for t in tokens(text) if t not in STOP_WORDS and (len(t) > 1 or t.isdigit())]


def beginnings(word: str) -> set[str]:
    """Return a stem and its beginnings that are long enough to stand for it ("hygien-ic")."""
    return {word} | {word[:n] for n in range(MIN_SHARED_LETTERS, len(word))}


def shared(words: Iterable[str], there: "Vocabulary") -> list[str]:
    """Return the words that a text holds, in this form or one that begins or continues it."""
    return [w for w in words if w in there.beginnings or beginnings(w) & there.words]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The stems of a text, made ready for `shared`."""

    words: frozenset[str]
    beginnings: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """Collect the content words of a text."""
        words = frozenset(content_words(text))
        return cls(words, frozenset(b for word in words for b in beginnings(word)))

    def __or__(self, other: "Vocabulary") -> "Vocabulary":
        return Vocabulary(self.words | other.words, self.beginnings | other.beginnings)


def rarity(texts: Iterable[str]) -> Mapping[str, float]:
    """Return each stem's weight among the texts: rare ones tell more (inverse frequency)."""
    sets = [set(content_words(text)) for text in texts]
    counts = Counter(word for words in sets for word in words)
    return {word: math.log(1 + len(sets) / (0.5 + n)) for word, n in counts.items()}


def weigh(words: Iterable[str], weights: Mapping[str, float]) -> float:
    """Add up the weights of words; one that stands in no text weighs as the rarest does."""
    unknown = max(weights.values(), default=1.0)
    return sum(weights.get(word, unknown) for word in words)
