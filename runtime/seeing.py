"""How pictures get into a prompt, and how a step is divided where they stand in it. Pure.

A picture is meant by a mark that no caller can foretell, put before the text that it came with.
Where the prompt becomes tokens, the mark becomes negative numbers, one for each row of the picture,
made of its digest: so the beginnings of two prompts are equal only where their pictures are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Message = Mapping[str, Any]
IMAGES = "images"
ROW_BITS = 20
Floats = NDArray[np.float32]


@dataclass(eq=False)
class Picture:
    """A picture as a prompt has it. tokens: words around it, and a negative number for each row."""

    digest: int
    tokens: list[int]
    chunks: Any = field(repr=False)
    rows: Floats | None = field(default=None, repr=False)


def placeholder(digest: int, row: int) -> int:
    """What stands for a row of a picture; no token of any vocabulary is negative."""
    return -((digest << ROW_BITS | row) + 1)


def place_of(number: int) -> tuple[int, int]:
    """Digest and row of what stands for it."""
    return (-number - 1) >> ROW_BITS, (-number - 1) & ((1 << ROW_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens, or rows of pictures, that follow each other."""

    start: int
    numbers: tuple[int, ...]

    @property
    def is_seen(self) -> bool:
        """Whether these are rows of pictures."""
        return self.numbers[0] < 0


def marked(messages: Sequence[Message], secret: str) -> tuple[tuple[Message, ...], list[bytes]]:
    """The messages with marks in place of their pictures, and the pictures."""
    found: list[Message] = []
    pictures: list[bytes] = []
    for message in messages:
        mine = message.get(IMAGES) or ()
        marks = "".join(mark(secret, len(pictures) + n) for n in range(len(mine)))
        pictures += mine
        rest = {key: value for key, value in message.items() if key != IMAGES}
        found.append(rest | {"content": marks + str(message.get("content", ""))} if mine else rest)
    return tuple(found), pictures


def mark(secret: str, number: int) -> str:
    """What stands in a text for a picture."""
    return f"<__image_{secret}_{number}__>"


def tokens_of(
    text: str,
    secret: str,
    pictures: Sequence[Sequence[int]],
    tokenize: Callable[[str, bool], list[int]],
) -> list[int]:
    """The tokens of a text with its pictures. tokenize: (text, whether it begins the prompt)."""
    parts = re.split(rf"<__image_{re.escape(secret)}_(\d+)__>", text)
    tokens = tokenize(parts[0], True)
    for number, rest in zip(parts[1::2], parts[2::2], strict=True):
        tokens += pictures[int(number)]
        tokens += tokenize(rest, False) if rest else []
    return tokens


def divided(start: int, numbers: Sequence[int]) -> tuple[list[Run], int]:
    """The runs up to the last picture's end, each computed by itself, and where the rest begins."""
    end = max((at + 1 for at, number in enumerate(numbers) if number < 0), default=0)
    runs: list[Run] = []
    at = 0
    while at < end:
        seen, to = numbers[at] < 0, at
        while to < end and (numbers[to] < 0) == seen:
            to += 1
        runs.append(Run(start + at, tuple(numbers[at:to])))
        at = to
    return runs, end
