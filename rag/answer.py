"""An answer as it grows: text of the model goes in, checked text with our markers comes out.

Pure: the same pieces in give the same pieces out. What came out is never taken back. A sentence
that no passage supports does not come out, nor one that was cut off at its end; a line that
leads to others ("The steps are:") comes out with the first of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.check import Sources, Support, coverage, find_support
from rag.claims import plain
from rag.events import Checks
from rag.fit import best_units
from rag.schema import Citation, Passage
from rag.sentences import Unit, UnitKind, spoken, units
from rag.words import Vocabulary, content_words, shared

_GIVES_UP = re.compile(r"NOT_FOUND|^(?:the |these )?extracts? (?:do|does) not\b", re.IGNORECASE)
_NUMBERS = r"\d{1,3}(?:\s*(?:,|and)\s*\d{1,3})*"
# "[1]", "[1, 2]", "(Extract 1)", "as stated in extract [2]", "as given in the extract" at the end;
# "four (4) hours" is no marker.
_MARKERS = re.compile(
    rf"(?:,? (?:as )?(?:outlined|stated|described|mentioned|noted|shown|given|specified) in)?\s*"
    rf"(?:\[(?:extracts?\s*)?{_NUMBERS}\]|\(extracts? {_NUMBERS}\)|\bextracts? \[?{_NUMBERS}\]?)"
    r"|,? as \w+ in the extracts?(?=\W*$)",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    rf"^(?:(?:the )?answer(?: is:?|:) *|(?:the answer to )?\"[^\"]*\? *\" (?:is:? )?"
    rf"|(?:according to |from )?extracts? \[?{_NUMBERS}\]?"
    r"(?:, | (?:states|says|mentions) (?:that )?))",
    re.IGNORECASE,
)
_OPEN_MARKER = re.compile(r"^\[[^\]]{0,20}$")
_SENTENCE_CLOSED = re.compile(r"[.!?:|][\"'”’)\]*]*$")
# What is left where a sentence was cut in two, or the model lost its thread.
_REST = re.compile(r"[\"'”’)\]*,;:. ]*(?:(?:is|are|was|were|has|have|and|or|but)\b|$)")
_DIGITS = re.compile(r"\d+")
MIN_QUOTE_SHARE = 0.4  # of the question's words, in a quote that stands alone, title aside
LEAD_IN_SHARE = 0.6  # of the threshold: a lead-in says little by itself


@dataclass(frozen=True, slots=True)
class Cited:
    """A released sentence's marker (from 1) and the words that support it."""

    marker: int
    start: int
    end: int


class Draft:
    """Collects one answer; `feed` and `finish` return the text that may be shown now."""

    def __init__(self, sources: Sources, threshold: float) -> None:
        self.sources = sources
        self._threshold = threshold
        self._model_text = ""
        self._done = 0  # how much of it was judged
        self._lead_in: Unit | None = None
        self._last: UnitKind | None = None
        self._before: Support | None = None  # of the sentence that was released last
        self._seen: set[str] = set()
        self.text = ""  # all that was released
        self.cited: list[Cited] = []
        self.checks = Checks()
        self.gave_up = False  # the model said NOT_FOUND

    def feed(self, text: str) -> str:
        """Take a piece of the model's text; return what is complete and supported."""
        self._model_text += text
        # All of the text is cut anew: what a unit is depends on where its line began.
        *complete, rest = units(self._model_text) or (None,)
        if rest is None or _OPEN_MARKER.match(rest.text):
            return ""
        return self._release([unit for unit in complete if unit is not None])

    def finish(self, *, cut_off: bool) -> str:
        """Take the end of the text; a last sentence that was cut off is not shown."""
        left = list(units(self._model_text))
        if cut_off and left and not _SENTENCE_CLOSED.search(left[-1].text):
            left.pop()
        return self._release(left)

    def _release(self, complete: Sequence[Unit]) -> str:
        released = []
        for unit in complete:
            if unit.start < self._done:
                continue
            new_line = "\n" in self._model_text[self._done : unit.start]
            released.append(self._judge(unit, new_line=new_line))
            self._done = unit.end
        self.text += "".join(released)
        return "".join(released)

    def _judge(self, unit: Unit, *, new_line: bool) -> str:
        if self.gave_up or _GIVES_UP.search(unit.text):
            self.gave_up = True
            return ""
        if unit.kind is UnitKind.HEADING or unit.text.rstrip("* ").endswith(":"):
            self._lead_in = unit
            return ""
        said = plain(_own_text(unit))
        if said in self._seen or _REST.match(said):  # small models repeat themselves
            return ""
        self._seen.add(said)
        markers = [int(n) for found in _MARKERS.findall(unit.text) for n in _DIGITS.findall(found)]
        support = find_support(said, markers, self.sources, self._threshold, self._before)
        if support is None:
            dropped = 1 if content_words(said) else 0
            self.checks = replace(self.checks, dropped=self.checks.dropped + dropped)
            return ""
        if _echoes(said, self.sources):
            return self._say_quote(support, new_line=new_line)
        return self._take_lead_in() + self._accept(unit, support, new_line=new_line)

    def quote(self) -> str:
        """Release what fits the question best, word for word; for where nothing else came out."""
        found = best_units(self.sources, "" if self.gave_up else self._model_text)
        if found is None:
            return ""
        number, inside = found
        quoted = Vocabulary.of(" ".join(unit.text for unit in inside))
        if coverage(self.sources.asked, quoted, self.sources.weights) < MIN_QUOTE_SHARE:
            return ""
        supports = (Support(number, unit.start, unit.end, 1.0) for unit in inside)
        released = "".join(
            self._accept(_read_out(unit), support, new_line=False)
            for unit, support in zip(inside, supports, strict=True)
        )
        self.text += released
        return released

    def _say_quote(self, support: Support, *, new_line: bool) -> str:
        """Release a sentence's quote in its place: it says what the question asks, and no more."""
        inside = self.sources.all[support.passage].units
        quoted = [unit for unit in inside if support.start <= unit.start < support.end]
        text = " ".join(_read_out(unit).text for unit in quoted)
        if plain(text) in self._seen:
            return ""
        self._seen.add(plain(text))
        whole = Unit(UnitKind.SENTENCE, support.start, support.end, plain(text))
        return self._accept(whole, support, new_line=new_line)

    def _take_lead_in(self) -> str:
        unit, self._lead_in = self._lead_in, None
        if unit is None or unit.kind is UnitKind.HEADING:
            return ""
        share = LEAD_IN_SHARE * self._threshold
        if find_support(plain(unit.text), [], self.sources, share) is None:
            self.checks = replace(self.checks, dropped=self.checks.dropped + 1)
            return ""
        return self._gap(UnitKind.SENTENCE, new_line=False) + _own_text(unit)

    def _accept(self, unit: Unit, support: Support, *, new_line: bool) -> str:
        self._before = support
        marker = support.passage + 1
        self.cited.append(Cited(marker, support.start, support.end))
        self.checks = replace(self.checks, released=self.checks.released + 1)
        text = _own_text(unit)
        gap = self._gap(unit.kind, new_line=new_line)
        if unit.kind is UnitKind.TABLE_ROW and text.endswith("|"):
            return f"{gap}{text[:-1].rstrip()} [{marker}] |"
        return f"{gap}{text} [{marker}]"

    def _gap(self, kind: UnitKind, *, new_line: bool) -> str:
        last, self._last = self._last, kind
        if last is None:
            return ""
        if kind is last and kind is not UnitKind.SENTENCE:
            return "\n"
        if kind is UnitKind.SENTENCE and not new_line:
            return " "
        return "\n\n"


def _own_text(unit: Unit) -> str:
    """Return what the model wrote without its markers and its talk about extracts."""
    text = _PREAMBLE.sub("", unit.text)
    text = text if text == unit.text else text[:1].upper() + text[1:]
    return _MARKERS.sub("", text).strip()


def _read_out(unit: Unit) -> Unit:
    kind = UnitKind.SENTENCE if unit.kind is UnitKind.TABLE_ROW else unit.kind
    return replace(unit, kind=kind, text=spoken(unit))


def _echoes(said: str, sources: Sources) -> bool:
    """Tell whether a sentence says yes or no and the question's words, but nothing new."""
    words = content_words(said)
    return len(shared(words, Vocabulary.of(sources.question))) == len(words)


def cite(cited: Sequence[Cited], passages: Sequence[Passage], today: date) -> tuple[Citation, ...]:
    """Build the citations, in order of first use; overlapping quotes of a passage become one."""
    merged: list[Cited] = []
    for one in cited:
        for position, other in enumerate(merged):
            if one.marker == other.marker and one.start < other.end and other.start < one.end:
                start, end = min(one.start, other.start), max(one.end, other.end)
                merged[position] = Cited(one.marker, start, end)
                break
        else:
            merged.append(one)
    return tuple(_citation(one, passages[one.marker - 1], today) for one in merged)


def _citation(one: Cited, passage: Passage, today: date) -> Citation:
    address, _, page = passage.url.partition("#")
    due = passage.review_due
    return Citation(
        marker=one.marker,
        passage_id=passage.passage_id,
        document_id=passage.document_id,
        policy_number=passage.policy_number,
        title=passage.title,
        version=passage.version,
        department=passage.department,
        section=passage.section,
        page_from=passage.page_from,
        page_to=passage.page_to,
        url=f"{address}&from={one.start}&to={one.end}#{page}",
        quote=passage.text[one.start : one.end],
        effective_from=passage.effective_from,
        review_due=due,
        overdue=due is not None and date.fromisoformat(due) < today,
    )
