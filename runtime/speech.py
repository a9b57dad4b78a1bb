"""Tells apart what a model thinks, says and calls, while its answer grows. Pure.

OPENING    nothing was said yet: the answer may begin with a thought, or be a call as a whole
THINKING   between <think> and </think>
SAYING     what is for the reader
CALLING    between the marks of a call; what is in them is read when it is complete
HOLDING    the whole answer may be a call without marks: it is read at its end
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

THINK, THOUGHT = "<think>", "</think>"
_FENCE = re.compile(r"^```(?:json)?\s*(.*?)\s*(?:```)?\s*$", re.DOTALL)
_HELD = ("{", "[", "`")


@dataclass(frozen=True, slots=True)
class CallForm:
    """The marks around a model's calls. closing: empty where they last to the end."""

    opening: str
    closing: str


HERMES = CallForm("<tool_call>", "</tool_call>")  # Qwen, Hermes
MISTRAL = CallForm("[TOOL_CALLS]", "")
QUOTED = CallForm("<tools>", "</tools>")  # what small models write in place of the first
FORMS = (HERMES, MISTRAL)


@dataclass(frozen=True, slots=True)
class Thought:
    """More of a thought."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """More of what is for the reader."""

    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A function that the model wants called."""

    name: str
    arguments: dict[str, Any]


Part = Thought | Said | Called


class _Mode(StrEnum):
    OPENING = "opening"
    THINKING = "thinking"
    SAYING = "saying"
    CALLING = "calling"
    HOLDING = "holding"


def form_of(template: str) -> CallForm:
    """The marks that a chat template teaches its model."""
    return next((form for form in FORMS if form.opening in template), HERMES)


class Speech:
    """One answer. tools: names of the functions on offer; none means that no call is looked for."""

    def __init__(
        self, *, thinks: bool = False, tools: frozenset[str] = frozenset(), form: CallForm = HERMES
    ) -> None:
        self._thinks = thinks
        self._is_marked = thinks or bool(tools)
        self._tools = tools
        self._forms = (form, QUOTED) if tools else ()
        self._form = form
        self._mode = _Mode.OPENING
        self._text = ""
        self._is_fresh = False  # white space that follows is left out

    def feed(self, text: str) -> list[Part]:
        """Add to the answer; returns what is clear now."""
        self._text += text
        return list(self._read())

    def end(self) -> list[Part]:
        """The answer is over; returns what was held back."""
        found = list(self._read())
        rest, self._text = self._text, ""
        match self._mode:
            case _Mode.THINKING:
                found += [Thought(rest)] if rest.strip() else []
            case _Mode.CALLING:
                found += calls_in(rest) or [Said(self._form.opening + rest)]
            case _Mode.HOLDING:
                known = [call for call in calls_in(rest) if call.name in self._tools]
                found += known or [Said(rest)]
            case _Mode.SAYING if rest:
                found.append(Said(rest))
            case _Mode.OPENING if rest.strip():
                found.append(Said(rest))
            case _:
                pass
        return found

    def _read(self) -> Iterator[Part]:
        before: tuple[_Mode, str] | None = None
        while before != (self._mode, self._text):
            before = (self._mode, self._text)
            match self._mode:
                case _Mode.OPENING:
                    self._open()
                case _Mode.THINKING:
                    yield from self._think()
                case _Mode.SAYING:
                    yield from self._say()
                case _Mode.CALLING:
                    yield from self._call()
                case _Mode.HOLDING:
                    return

    def _open(self) -> None:
        text = self._text.lstrip()
        if not text or (self._thinks and THINK.startswith(text) and text != THINK):
            return
        if self._thinks and text.startswith(THINK):
            self._mode, self._text = _Mode.THINKING, text[len(THINK) :]
            self._is_fresh = True
        elif self._tools and text[0] in _HELD and not _may_open(self._forms, text):
            self._mode = _Mode.HOLDING
        else:
            self._mode = _Mode.SAYING
            # What a thought leaves behind is not for the reader.
            self._text = text if self._is_marked else self._text

    def _think(self) -> Iterator[Part]:
        self._strip()
        thought, mark, rest = self._text.partition(THOUGHT)
        if mark:
            if thought.strip():
                yield Thought(thought.rstrip())
            self._thinks = False
            self._mode, self._text = _Mode.OPENING, rest
            return
        ready = self._take_sure((THOUGHT,))
        if ready:
            yield Thought(ready)

    def _say(self) -> Iterator[Part]:
        self._strip()
        found = [(self._text.find(f.opening), f) for f in self._forms if f.opening in self._text]
        if found:
            at, self._form = min(found, key=lambda pair: pair[0])
            said = self._text[:at].rstrip()
            self._mode, self._text = _Mode.CALLING, self._text[at + len(self._form.opening) :]
        elif self._forms:
            said = self._take_sure(tuple(form.opening for form in self._forms))
        else:
            said, self._text = self._text, ""
        if said:
            yield Said(said)

    def _call(self) -> Iterator[Part]:
        if not self._form.closing or self._form.closing not in self._text:
            return
        inside, _, rest = self._text.partition(self._form.closing)
        calls: list[Part] = [*calls_in(inside)]
        self._mode, self._text, self._is_fresh = _Mode.SAYING, rest, bool(calls)
        yield from calls or [Said(f"{self._form.opening}{inside}{self._form.closing}")]

    def _strip(self) -> None:
        """White space after a mark belongs to the mark."""
        if self._is_fresh:
            self._text = self._text.lstrip()
            self._is_fresh = not self._text

    def _take_sure(self, marks: tuple[str, ...]) -> str:
        """What can be no part of a mark, nor white space before one."""
        at = len(self._text) - _overlap(self._text, marks)
        at = len(self._text[:at].rstrip())
        sure, self._text = self._text[:at], self._text[at:]
        return sure


def calls_in(text: str) -> list[Called]:
    """The calls that a text is made of; none if anything else stands in it."""
    text = text.strip()
    fenced = _FENCE.match(text)
    text = fenced[1] if fenced else text
    if text.startswith("{{") and text.endswith("}}"):  # as one family's template shows it
        text = text[1:-1]
    decoder, at, found = json.JSONDecoder(), 0, list[Called]()
    try:
        while at < len(text):
            value, end = decoder.raw_decode(text, at)
            found += [_called(one) for one in (value if isinstance(value, list) else [value])]
            at = end + len(text[end:]) - len(text[end:].lstrip(" \t\r\n,;"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return found


def _called(value: Any) -> Called:
    name = value["name"]
    arguments = value.get("arguments", value.get("parameters", {}))
    arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
    if not isinstance(name, str) or not isinstance(arguments or {}, dict):
        raise TypeError("no call")
    return Called(name, arguments or {})


def _may_open(forms: tuple[CallForm, ...], text: str) -> bool:
    return any(form.opening.startswith(text) or text.startswith(form.opening) for form in forms)


def _overlap(text: str, marks: tuple[str, ...]) -> int:
    """The length of the longest end of a text with which one of the marks could begin."""
    longest = max((len(mark) - 1 for mark in marks), default=0)
    ends = range(min(longest, len(text)), 0, -1)
    return next((n for n in ends if any(mark.startswith(text[-n:]) for mark in marks)), 0)
