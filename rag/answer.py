"""An answer as it grows: text of the model goes in, checked text with our markers comes out.

Pure: the same pieces in give the same pieces out. What came out is never taken back. A sentence
that no passage supports does not come out, nor one that was cut off at its end; a line that
leads to others ("The steps are:") comes out with the first of them.

In verbatim mode a sentence of the model only says where to look: what comes out is the quote that
supports it, so that a "Yes, you may" of a small model can never stand for "only with consent".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.addresses import unlinked, unsaid
from rag.check import Source, Sources, Support, find_support, nearest
from rag.claims import plain
from rag.contradiction import Difference, differences
from rag.events import Checks
from rag.schema import Citation, Passage
from rag.sentences import Unit, UnitKind, units
from rag.words import content_words

_NUMBERS = r"\d{1,3}(?:\s*(?:,|and)\s*\d{1,3})*"
# "[1]", "[1, 2]", "(Extract 1)", "as stated in extract [2]"; "four (4) hours" is no marker.
_MARKERS = re.compile(
    rf"(?:,? (?:as )?(?:outlined|stated|described|mentioned|noted|shown) in)?\s*"
    rf"(?:\[(?:extracts?\s*)?{_NUMBERS}\]|\(extracts? {_NUMBERS}\)|\bextracts? \[?{_NUMBERS}\]?)",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    rf"^(?:the answer is:? +|answer: *|(?:according to |from )?extracts? \[?{_NUMBERS}\]?"
    r"(?:, | (?:states|says|mentions) (?:that )?))",
    re.IGNORECASE,
)
# Whatever looks like one of ours when it is shown, also "[99]" that a policy itself prints.
_ANY_MARKER = re.compile(r"[ \t]*\[\s*\d{1,3}(?:\s*,\s*\d{1,3})*\s*\]")
_OPEN_MARKER = re.compile(r"^\[[^\]]{0,20}$")
_SENTENCE_CLOSED = re.compile(r"[.!?:|][\"'”’)\]*]*$")
_DIGITS = re.compile(r"\d+")
NEAREST = 0.5  # share of the words of question and answer that such a place must hold
MAX_QUOTES = 5  # a longer answer is a document: the viewer shows it
LEAD_IN_SHARE = 0.6  # of the threshold: a lead-in says little by itself


@dataclass(frozen=True, slots=True)
class Cited:
    """A released sentence's marker (from 1) and the words that support it."""

    marker: int
    start: int
    end: int


class Draft:
    """Collects one answer; `feed` and `finish` return the text that may be shown now."""

    def __init__(self, sources: Sources, threshold: float, *, verbatim: bool = False) -> None:
        self.sources = sources
        self._threshold = threshold
        self._verbatim = verbatim
        self._model_text = ""
        self._done = 0  # how much of it was judged
        self._lead_in: Unit | None = None
        self._last: UnitKind | None = None
        self._seen: set[str] = set()
        self.text = ""  # all that was released
        self.cited: list[Cited] = []
        self.checks = Checks()

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

    def fall_back(self, question: str) -> str:
        """Where the model found the place and worded it too freely, release the place itself."""
        if self.text or not self._model_text.strip():
            return ""
        support = nearest(f"{question} {self._model_text}", self.sources, NEAREST)
        self.text = "" if support is None else self.quote(support)
        return self.text

    def point_out(self, elsewhere: Sequence[int]) -> str:
        """Where a passage of another policy gives another amount for what is quoted, release it.

        elsewhere: those passages, from 0.
        """
        for one in tuple(self.cited):
            said = self.sources.all[one.marker - 1].text[one.start : one.end]
            for number in elsewhere:
                for found in differences(said, self.sources.all[number].text):
                    released = self._differ(found, number)
                    self.text += released
                    return released
        return ""

    def _differ(self, found: Difference, number: int) -> str:
        source = self.sources.all[number]
        unit = next(one for one in source.units if one.text == found.there)
        self.cited.append(Cited(number + 1, unit.start, unit.end))
        quote = _quoted(source, Support(number, unit.start, unit.end, 1.0))
        return (
            f"\n\nAnother policy says {found.amount_there}, not {found.amount_here}: "
            f"{quote} [{number + 1}]"
        )

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
        if unit.kind is UnitKind.HEADING or unit.text.rstrip("* ").endswith(":"):
            self._lead_in = unit
            return ""
        said = plain(_own_text(unit))
        if said in self._seen:  # small models repeat themselves
            return ""
        self._seen.add(said)
        markers = [int(n) for found in _MARKERS.findall(unit.text) for n in _DIGITS.findall(found)]
        support = find_support(said, markers, self.sources, self._threshold)
        if support is None or unsaid(said, self._words_of(support)):
            dropped = 1 if content_words(said) else 0
            self.checks = replace(self.checks, dropped=self.checks.dropped + dropped)
            return ""
        if self._verbatim:
            return self.quote(support)
        return self._take_lead_in() + self._accept(unit, support, new_line=new_line)

    def _words_of(self, support: Support) -> str:
        return self.sources.all[support.passage].text[support.start : support.end]

    def quote(self, support: Support) -> str:
        """Release the supporting words themselves, once, and not without end."""
        marker = support.passage + 1
        known = any(
            one.marker == marker and one.start < support.end and support.start < one.end
            for one in self.cited
        )
        if known or len(self.cited) == MAX_QUOTES:
            return ""
        self.cited.append(Cited(marker, support.start, support.end))
        self.checks = replace(self.checks, released=self.checks.released + 1)
        source = self.sources.all[support.passage]
        first = source.units_within(support.start, support.end)[0]
        gap = self._gap(first.kind, new_line=False)
        return f"{gap}{_lead_in_of(source, first, self._seen)}{_quoted(source, support)} [{marker}]"

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


def _lead_in_of(source: Source, item: Unit, seen: set[str]) -> str:
    """The line of the passage that a list item hangs on, the first time; else nothing."""
    if item.kind is not UnitKind.LIST_ITEM:
        return ""
    before = [unit for unit in source.units if unit.end <= item.start]
    leads = [unit for unit in before if unit.kind is UnitKind.SENTENCE]
    lead = _inert(plain(leads[-1].text)) if leads else ""
    if not lead.endswith(":") or lead in seen:
        return ""
    seen.add(lead)
    return f"{lead}\n\n"


def _quoted(source: Source, support: Support) -> str:
    """The quote as it reads well: a table row with its header's words, the rest as it stands."""
    inside = source.units_within(support.start, support.end)
    row = inside[0]
    if row.kind is UnitKind.TABLE_ROW and row.header:
        cells = zip(_cells(row.header), _cells(row.text), strict=False)
        return _inert(
            "; ".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)
        )
    if all(unit.kind is UnitKind.SENTENCE for unit in inside):
        return _inert(" ".join(plain(unit.text) for unit in inside))
    shown = [unit.text for unit in inside if unit.kind is not UnitKind.HEADING]
    return _inert("\n".join(shown))


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _own_text(unit: Unit) -> str:
    """Return what the model wrote without its markers and its talk about extracts."""
    text = _PREAMBLE.sub("", unit.text)
    text = text if text == unit.text else text[:1].upper() + text[1:]
    return _inert(_MARKERS.sub("", unlinked(text)))


def _inert(text: str) -> str:
    """A text that leads nowhere and names no passage: the markers of an answer are ours alone."""
    return _ANY_MARKER.sub("", unlinked(text)).strip()


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
