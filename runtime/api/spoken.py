"""An answer as its reader gets it: words, thoughts and calls, each with what belongs to it."""

import json
import random
import string
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from runtime.api.service import Finished
from runtime.protocol import Delta, TokenChance
from runtime.speech import Called, Part, Said, Speech, Thought

CALL_ID_CHARS = 8
Parts = AsyncGenerator[Delta | Finished, None]


@dataclass(frozen=True, slots=True)
class Call:
    """A call with its number in the answer. id: by which its result will be known."""

    index: int
    name: str
    arguments: dict[str, Any]
    id: str = field(default_factory=lambda: call_id())

    @property
    def arguments_text(self) -> str:
        """The arguments as OpenAI writes them."""
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """More of an answer: one of text, thought and call, and what is known of its tokens."""

    text: str = ""
    thought: str = ""
    call: Call | None = None
    chances: tuple[TokenChance, ...] = ()


@dataclass(slots=True)
class Whole:
    """A whole answer."""

    end: Finished
    text: str = ""
    thought: str = ""
    calls: list[Call] = field(default_factory=list)
    chances: list[TokenChance] = field(default_factory=list)


Pieces = AsyncGenerator[Piece | Finished, None]


async def spoken(answer: Parts, speech: Speech | None, *, shows_thoughts: bool = True) -> Pieces:
    """The pieces of an answer, and its end. speech: None where there are only words."""
    calls, waiting = 0, list[TokenChance]()
    async with aclosing(answer) as parts:
        async for part in parts:
            if isinstance(part, Delta) and speech is None:
                if part.call is not None:
                    yield _piece(part.call, calls, ())
                    calls += 1
                elif part.thought:
                    yield Piece(thought=part.thought if shows_thoughts else "")
                if part.text or part.chances:
                    yield Piece(part.text, chances=part.chances)
                continue
            if isinstance(part, Delta):
                waiting.extend(part.chances)
            heard = [] if speech is None else _heard(speech, part)
            for one in heard:
                if isinstance(one, Thought) and not shows_thoughts:
                    continue
                yield _piece(one, calls, tuple(waiting))
                calls += isinstance(one, Called)
                waiting.clear()
            if isinstance(part, Finished):
                if waiting:
                    yield Piece(chances=tuple(waiting))
                yield part


async def whole(pieces: Pieces) -> Whole:
    """All of an answer at once."""
    texts, thoughts, calls, chances = list[str](), list[str](), list[Call](), list[TokenChance]()
    async with aclosing(pieces) as parts:
        async for part in parts:
            if isinstance(part, Finished):
                return Whole(part, "".join(texts), "".join(thoughts), calls, chances)
            texts.append(part.text)
            thoughts.append(part.thought)
            calls += [part.call] if part.call else []
            chances.extend(part.chances)
    raise AssertionError("an answer has an end")


def call_id() -> str:
    """A name for a call; it is no secret."""
    letters = random.choices(string.ascii_lowercase + string.digits, k=CALL_ID_CHARS)  # noqa: S311
    return f"call_{''.join(letters)}"


def _heard(speech: Speech, part: Delta | Finished) -> list[Part]:
    return speech.feed(part.text) if isinstance(part, Delta) else speech.end()


def _piece(part: Part, calls: int, chances: tuple[TokenChance, ...]) -> Piece:
    match part:
        case Said(text):
            return Piece(text, chances=chances)
        case Thought(text):
            return Piece(thought=text, chances=chances)
        case Called(name, arguments):
            return Piece(call=Call(calls, name, arguments), chances=chances)
