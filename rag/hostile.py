"""Text in a policy that speaks to the assistant instead of to its readers.

Pure. Rules tell what such text does: it forges a turn of the conversation, lifts instructions,
gives the assistant another part, dictates its reply, asks for its prompt or for an act. They look
at one sentence at a time, folded, and at what a disguise hides. They find what is plain; a quiet
sentence gets past them, and what then keeps it harmless is the check of every answer
(`rag/check.py`) and that no answer can act.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.disguise import spellings, undone
from rag.hostile_rules import RULES, HostileKind
from rag.sentences import Unit, units

MAX_DEPTH = 2  # a disguise within a disguise
OPEN, CLOSE = "<<<", ">>>"  # for whoever quotes neutralised text: it holds neither
LEFT_OUT = "[…]"
IN_WORDS: Mapping[HostileKind, str] = {
    HostileKind.TOKEN: "imitates the marks between the turns of a conversation",
    HostileKind.ROLE: "pretends to speak for the system or for the assistant",
    HostileKind.OVERRIDE: "tells it to set its instructions aside",
    HostileKind.PERSONA: "tells it to be something else",
    HostileKind.REPLY: "tells it how to answer",
    HostileKind.SECRET: "asks for its instructions",
    HostileKind.ACT: "tells it to act",
    HostileKind.DISGUISED: "hides such an order in a code",
}
# Where a paragraph ends, also one whose middle was left out of a prompt.
_PARAGRAPH_END = re.compile(r"\n\s*\n| … ")


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of a text, `text[start:end]`, and what it tries to do."""

    start: int
    end: int
    kind: HostileKind


def find(text: str) -> tuple[Finding, ...]:
    """Find whole sentences that speak to the assistant, in order."""
    inside = units(text)
    found: dict[tuple[int, int], HostileKind] = {}
    for hidden in undone(text):
        if _says(hidden.said):
            for unit in _touched(inside, hidden.start, hidden.end):
                found[unit.start, unit.end] = HostileKind.DISGUISED
    for unit in inside:
        kind = kind_of(unit.text)
        if kind is not None:
            found.setdefault((unit.start, unit.end), kind)
    return tuple(Finding(start, end, kind) for (start, end), kind in sorted(found.items()))


def kind_of(sentence: str) -> HostileKind | None:
    """Tell what one sentence tries to do; None for a sentence that speaks to readers."""
    for folded in spellings(sentence):
        for kind, patterns in RULES.items():
            if any(pattern.search(folded) for pattern in patterns):
                return kind
    return None


def neutralise(text: str) -> str:
    """Return what may stand in a prompt in place of a passage's text.

    From a sentence that speaks to the assistant on, its paragraph is left out; marks between turns
    and our own OPEN and CLOSE are broken. Ordinary text comes back as it is.
    """
    kept: list[str] = []
    at = 0
    for finding in find(text):
        if finding.start >= at:
            kept += [text[at : finding.start], LEFT_OUT]
            end = _PARAGRAPH_END.search(text, finding.end)
            at = end.start() if end else len(text)
    return _broken("".join([*kept, text[at:]]))


def _broken(text: str) -> str:
    """Set a blank into every mark that a runtime or a reader could take for one of its own."""
    text = _INVISIBLE_CODES.sub("", text)
    text = _MARK.sub(lambda mark: f"{mark.group()[0]} {mark.group()[1:]}", text)
    return _RUN_OF_BRACKETS.sub(lambda run: " ".join(run.group()), text)


def _says(said: str, depth: int = 1) -> bool:
    if any(kind_of(unit.text) is not None for unit in units(said)):
        return True
    return depth < MAX_DEPTH and any(_says(inner.said, depth + 1) for inner in undone(said))


def _touched(inside: Sequence[Unit], start: int, end: int) -> Iterator[Unit]:
    return (unit for unit in inside if unit.start < end and start < unit.end)


_INVISIBLE_CODES = re.compile("[\U000e0000-\U000e0fff]")
_MARK = re.compile(
    r"<\||\|>|\[/?(?:inst|sys)\b|<{1,2}/?(?:sys|s|inst|start_of_turn|end_of_turn|think(?:ing)?|"
    r"system|user|assistant)\b",
    re.I,
)
_RUN_OF_BRACKETS = re.compile(r"<{3,}|>{3,}")
