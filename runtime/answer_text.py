"""Turns the bytes of sampled tokens into text that may be sent.

A token may end inside a character, and an answer may be inside a stop string without having
completed it: both are held back until it is clear what they are.
"""

import codecs
from collections.abc import Sequence


class AnswerText:
    """The text of one answer as it grows."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False  # a stop string was met; it and what follows are never sent

    def feed(self, piece: bytes) -> str:
        """Add a token's bytes; returns what may be sent now."""
        return self._release(self._decoder.decode(piece))

    def end(self) -> str:
        """The answer is over; returns what was held back."""
        text = self._release(self._decoder.decode(b"", final=True))
        if self.stopped:
            return text
        held, self._held = self._held, ""
        return text + held

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        self._held += text
        found = [at for at in (self._held.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self.stopped = True
            ready, self._held = self._held[: min(found)], ""
            return ready
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        ready, self._held = (
            self._held[: len(self._held) - keep],
            self._held[len(self._held) - keep :],
        )
        return ready


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of a text with which a stop string could begin."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
