"""What changed between two versions of a policy, for the person who approves the new one.

Sentences, list items and table rows are compared by their words; numbers stand first, a dose before
all others, since that is what harms if it was not meant.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ingest.alignment import MAX_PAIRS, aligned
from ingest.sentences import sentences
from ingest.word_difference import Segment, Weight, segments, weight_of

# At least this share of their words makes two sentences one that was changed.
_SAME_SENTENCE, _SAME_ELSEWHERE = 0.5, 0.75
_MIN_MOVED_WORDS = 4
_MARKER = re.compile(r"^(?:[-•*]|\d{1,3}[.)]|[a-z][.)])\s+")
_SEPARATOR = re.compile(r"[\s|:-]+$")
_WORD = re.compile(r"\w+(?:[.,:]\d+)*")


class ChangeKind(StrEnum):
    """What happened to a sentence, list item, table row or heading."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    MOVED = "moved"


_KINDS = tuple(ChangeKind)


@dataclass(frozen=True, slots=True)
class Change:
    """One change. section: in the new version, of what was removed in the old one.

    section_before: where it stood, if elsewhere; otherwise empty. segments: joined without the
    removed ones they are the new text.
    """

    kind: ChangeKind
    section: str
    segments: tuple[Segment, ...]
    weight: Weight
    section_before: str = ""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, list item or table row. key: what makes two of them the same."""

    section: str
    text: str
    place: int
    key: str = ""
    words: Counter[str] = field(default_factory=Counter)


_Pair = tuple[_Unit, _Unit]


def differences(
    old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]
) -> tuple[Change, ...]:
    """The changes from old to new, what matters most first, else in reading order.

    old, new: (section, text) in reading order; table rows stand in lines that begin with a bar.
    """
    before, after = _units(old), _units(new)
    kept, gaps = aligned(before, after)
    pairs: list[_Pair] = []
    removed: list[_Unit] = []
    added: list[_Unit] = []
    for gone, come in gaps:
        close, gone, come = _paired(gone, come, _SAME_SENTENCE)
        pairs += close
        removed += gone
        added += come
    moved, removed, added = _moved(removed, added)
    far, removed, added = _paired(removed, added, _SAME_ELSEWHERE)
    renamed = list(_renamed(kept + pairs))
    found = [_changed(*pair) for pair in pairs + far if pair[0].key != pair[1].key]
    found += [_moved_change(*pair) for pair in moved]
    found += [(one.place, _change(ChangeKind.REMOVED, one)) for one in removed]
    found += [(one.place, _change(ChangeKind.ADDED, one)) for one in added]
    return tuple(change for _, change in sorted([*found, *renamed], key=_rank))


def _rank(placed: tuple[int, Change]) -> tuple[int, int, int]:
    place, change = placed
    return change.weight, _KINDS.index(change.kind), place


def _units(texts: Sequence[tuple[str, str]]) -> list[_Unit]:
    units: list[_Unit] = []
    header = ""
    for section, text in texts:
        lines = text.split("\n")
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if not line.startswith("|"):
                pieces = [_MARKER.sub("", line)] if _MARKER.match(line) else sentences(line)
            elif _SEPARATOR.match(line) or (_SEPARATOR.match(following) and line == header):
                # A table's header stands again in each passage that holds rows of it.
                continue
            else:
                header = (
                    line if following.startswith("|") and _SEPARATOR.match(following) else header
                )
                pieces = [line.strip("| ")]
            units += [_unit(section, piece, len(units) + n) for n, piece in enumerate(pieces)]
    return [unit for unit in units if unit.key]


def _unit(section: str, text: str, place: int) -> _Unit:
    words = _WORD.findall(text.casefold())
    return _Unit(section, text, place, " ".join(text.split()).casefold(), Counter(words))


def _paired(
    removed: list[_Unit], added: list[_Unit], least: float
) -> tuple[list[_Pair], list[_Unit], list[_Unit]]:
    """Sentences that are most alike, the best first; then what has no partner on either side."""
    if len(removed) * len(added) > MAX_PAIRS:
        return [], removed, added
    scores = (
        (_alike(one, other), -abs(i - j), i, j)
        for i, one in enumerate(removed)
        for j, other in enumerate(added)
    )
    partner: dict[int, int] = {}
    for _, _, i, j in sorted((one for one in scores if one[0] >= least), reverse=True):
        if i not in partner and j not in partner.values():
            partner[i] = j
    pairs = [(removed[i], added[j]) for i, j in sorted(partner.items())]
    taken = set(partner.values())
    rest = [unit for i, unit in enumerate(removed) if i not in partner]
    return pairs, rest, [unit for j, unit in enumerate(added) if j not in taken]


def _alike(one: _Unit, other: _Unit) -> float:
    """Twice the words in common over all the words of both, 0 to 1."""
    total = one.words.total() + other.words.total()
    return 2 * (one.words & other.words).total() / total if total else 0.0


def _moved(
    removed: list[_Unit], added: list[_Unit]
) -> tuple[list[_Pair], list[_Unit], list[_Unit]]:
    """Sentences that stand word for word at another place."""
    come: dict[str, list[_Unit]] = {}
    for unit in reversed(added):
        if unit.words.total() >= _MIN_MOVED_WORDS:
            come.setdefault(unit.key, []).append(unit)
    pairs: list[_Pair] = []
    rest: list[_Unit] = []
    for unit in removed:
        if come.get(unit.key):
            pairs.append((unit, come[unit.key].pop()))
        else:
            rest.append(unit)
    taken = {pair[1].place for pair in pairs}
    return pairs, rest, [unit for unit in added if unit.place not in taken]


def _renamed(pairs: Sequence[_Pair]) -> Iterator[tuple[int, Change]]:
    """Headings that changed over sentences that stayed, each once."""
    seen: set[tuple[str, str]] = set()
    for one, other in sorted(pairs, key=lambda pair: pair[1].place):
        names = (one.section, other.section)
        if one.section != other.section and names not in seen:
            seen.add(names)
            parts = segments(*names)
            yield (
                other.place,
                Change(ChangeKind.CHANGED, other.section, parts, Weight.HEADING, one.section),
            )


def _changed(one: _Unit, other: _Unit) -> tuple[int, Change]:
    before = one.section if one.section != other.section else ""
    parts, weight = segments(one.text, other.text), weight_of(one.text, other.text)
    return other.place, Change(ChangeKind.CHANGED, other.section, parts, weight, before)


def _moved_change(one: _Unit, other: _Unit) -> tuple[int, Change]:
    parts = segments(other.text, other.text)
    before = one.section if one.section != other.section else ""
    return other.place, Change(ChangeKind.MOVED, other.section, parts, Weight.WORDS, before)


def _change(kind: ChangeKind, unit: _Unit) -> Change:
    old, new = (unit.text, "") if kind is ChangeKind.REMOVED else ("", unit.text)
    return Change(kind, unit.section, segments(old, new), weight_of(old, new))
