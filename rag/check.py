"""Which words of which passage support a sentence: decided by code, never by the model.

Pure. A sentence is supported by a quote of one to three neighbouring units of one passage that
holds most of its rare words, every number with its unit, every name, and says no where it says
no. A marker of the model counts only where its own passage passes this; else the best passage
that passes is cited; where none does, the sentence is not shown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from rag.claims import fault, other_amount, polarity_fault
from rag.sentences import Unit, UnitKind, units
from rag.words import Vocabulary, content_words, rarity, shared, weigh

MAX_QUOTE_UNITS = 3
MIN_WORDS_ALONE = 3  # a shorter sentence ("28 days.") must also fit the question
MIN_ASKED_SHARE = 1 / 3  # ... by this share of the question's words
TRUST = 0.02  # of coverage, that each place further down the list of passages costs
NEAR = 0.5  # share of a sentence's words that makes a unit speak of the same thing


@dataclass(frozen=True, slots=True)
class Source:
    """One passage made ready for comparison; `vocabularies` are those of its units."""

    text: str
    context: str  # title and section: words that its sentences need not repeat
    units: tuple[Unit, ...]
    vocabularies: tuple[Vocabulary, ...]
    context_vocabulary: Vocabulary

    def units_within(self, start: int, end: int) -> tuple[Unit, ...]:
        """The units of a stretch of the text."""
        return tuple(unit for unit in self.units if unit.start < end and start < unit.end)


@dataclass(frozen=True, slots=True)
class Sources:
    """All passages of one request, the question's words, and how much each word tells.

    citable: which of them an answer may quote, counted from 0, in order.
    """

    asked: frozenset[str]
    all: tuple[Source, ...]
    weights: Mapping[str, float]
    citable: tuple[int, ...]

    def __deepcopy__(self, memo: object) -> "Sources":
        return self  # Haystack copies each step's input; this one cannot change


@dataclass(frozen=True, slots=True)
class Support:
    """A quote, `passage.text[start:end]`; passage counts from 0, coverage from 0 to 1."""

    passage: int
    start: int
    end: int
    coverage: float


@dataclass(frozen=True, slots=True)
class _Quote:
    """A candidate: neighbouring units of one source."""

    number: int
    first: int
    last: int
    coverage: float
    asked: float  # share of the question that it covers

    @property
    def rank(self) -> float:
        """Each further unit must earn its place: the shortest quote that says it is the best."""
        return self.coverage + 0.05 * self.asked - 0.08 * (self.last - self.first)


def gather(
    question: str, passages: Sequence[tuple[str, str]], citable: Sequence[int] | None = None
) -> Sources:
    """Prepare the passages of one request, each given as its text and its title with section.

    citable: as in `Sources`; all of them where nothing is said.
    """
    sources = tuple(_source(text, context) for text, context in passages)
    texts = [unit.text for source in sources for unit in source.units]
    may = range(len(sources)) if citable is None else citable
    return Sources(frozenset(content_words(question)), sources, rarity(texts), tuple(may))


def find_support(
    sentence: str, markers: Sequence[int], sources: Sources, threshold: float
) -> Support | None:
    """Return the best quote for a sentence; `markers` (from 1) name passages to try first."""
    if sentence.rstrip().endswith("?"):
        return None  # a question claims nothing; small models repeat the reader's
    named = [n - 1 for n in markers if n - 1 in sources.citable]
    for among in (named, sources.citable):
        quotes = sorted(_quotes(sentence, among, sources, threshold), key=lambda q: -q.rank)
        found = next((quote for quote in quotes if _holds(sentence, quote, sources)), None)
        if found is not None:
            inside = sources.all[found.number].units
            start, end = inside[found.first].start, inside[found.last].end
            return Support(found.number, start, end, found.coverage)
    return None


def nearest(text: str, sources: Sources, threshold: float) -> Support | None:
    """Return the sentence, item or row that holds most of a text's words, enough of them or none.

    For where a model means the right place and words it too freely: what is shown is the place.
    """
    words = frozenset(content_words(text))
    found = [
        Support(number, unit.start, unit.end, coverage(words, said, sources.weights))
        for number in sources.citable
        for source in [sources.all[number]]
        for unit, vocabulary in zip(source.units, source.vocabularies, strict=True)
        if unit.kind is not UnitKind.HEADING
        for said in [vocabulary | source.context_vocabulary]
    ]
    best = max(found, key=lambda one: one.coverage - TRUST * one.passage, default=None)
    return best if best is not None and best.coverage >= threshold else None


def coverage(words: Iterable[str], there: Vocabulary, weights: Mapping[str, float]) -> float:
    """Return the share of the words, by weight, that a text holds; 0 for no words."""
    wanted = frozenset(words)
    total = weigh(wanted, weights)
    return weigh(shared(wanted, there), weights) / total if total else 0.0


def _source(text: str, context: str) -> Source:
    inside = units(text)
    vocabularies = tuple(Vocabulary.of(f"{unit.header} {unit.text}") for unit in inside)
    return Source(text, context, inside, vocabularies, Vocabulary.of(context))


def _quotes(
    sentence: str, among: Iterable[int], sources: Sources, threshold: float
) -> Iterator[_Quote]:
    words = frozenset(content_words(sentence))
    for number in among:
        source = sources.all[number]
        for first, last in _windows(source.units):
            own = _vocabulary(source, first, last)
            said = own | source.context_vocabulary
            share = coverage(words, said, sources.weights)
            # A title is not a statement: most of what is claimed must stand in the quote itself.
            if share >= threshold and coverage(words, own, sources.weights) >= threshold / 2 > 0:
                asked = coverage(sources.asked, said, sources.weights)
                yield _Quote(number, first, last, share, asked)


def _windows(inside: tuple[Unit, ...]) -> Iterator[tuple[int, int]]:
    for first, unit in enumerate(inside):
        for last in range(first, min(first + MAX_QUOTE_UNITS, len(inside))):
            # A row stands alone: beside another, one row's amount would back the other's name.
            if last > first and UnitKind.TABLE_ROW in (unit.kind, inside[last].kind):
                break
            # A heading says what follows is about; at the end of a quote it supports nothing.
            if inside[last].kind is not UnitKind.HEADING:
                yield first, last


def _vocabulary(source: Source, first: int, last: int) -> Vocabulary:
    return reduce(or_, source.vocabularies[first : last + 1])


def _holds(sentence: str, quote: _Quote, sources: Sources) -> bool:
    source = sources.all[quote.number]
    window = source.units[quote.first : quote.last + 1]
    said = " ".join([window[0].header, *(unit.text for unit in window)])
    words = frozenset(content_words(sentence))
    if len(words) < MIN_WORDS_ALONE and quote.asked < MIN_ASKED_SHARE:
        return False
    if fault(sentence, said, f"{source.context} {source.text}") is not None:
        return False
    if any(_contradicts(sentence, words, unit, sources) for unit in window):
        return False
    closest = max(window, key=lambda unit: _near(words, unit, sources))
    if len(window) > 1 and _gives_another(sentence, closest):
        return False
    return not any(_outdone(sentence, words, quote, other, sources) for other in sources.all)


def _near(words: frozenset[str], unit: Unit, sources: Sources) -> float:
    return coverage(words, Vocabulary.of(unit.text), sources.weights)


def _contradicts(sentence: str, words: frozenset[str], unit: Unit, sources: Sources) -> bool:
    """A unit that says the opposite is not mended by its neighbour."""
    return _near(words, unit, sources) >= NEAR and polarity_fault(sentence, unit.text) is not None


def _gives_another(sentence: str, unit: Unit) -> bool:
    return other_amount(sentence, unit.text, in_table=unit.kind is UnitKind.TABLE_ROW)


def _outdone(
    sentence: str, words: frozenset[str], quote: _Quote, other: Source, sources: Sources
) -> bool:
    """Some unit is closer to the sentence, its numbers aside, and gives another amount."""
    if len(words) < MIN_WORDS_ALONE:
        words = sources.asked  # a bare figure speaks of what was asked, so that is compared
    subject = frozenset(word for word in words if not word[0].isdigit())
    source = sources.all[quote.number]
    quoted = _vocabulary(source, quote.first, quote.last) | source.context_vocabulary
    reached = max(NEAR, coverage(subject, quoted, sources.weights))
    return any(
        coverage(subject, vocabulary | other.context_vocabulary, sources.weights) > reached
        and _gives_another(sentence, unit)
        for unit, vocabulary in zip(other.units, other.vocabularies, strict=True)
    )
