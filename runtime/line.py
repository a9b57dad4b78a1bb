"""Who waits, and in which order they are served.

Departments take turns; within a department, who came first is served first. Who is served goes to
the end of the turns, so a department with forty requests does not hold up one that has a single
request.
"""

from collections import deque
from collections.abc import Iterator
from itertools import zip_longest

from runtime.sequence import Sequence


class Line:
    """The waiting sequences of one model."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Sequence]] = {}

    def __iter__(self) -> Iterator[Sequence]:
        """In the order in which they would be served."""
        for turn in zip_longest(*[tuple(queue) for queue in self._queues.values()]):
            yield from (sequence for sequence in turn if sequence is not None)

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def add(self, sequence: Sequence) -> None:
        """Put a sequence at the end of its department's queue."""
        self._queues.setdefault(sequence.share, deque()).append(sequence)

    def remove(self, sequence: Sequence) -> None:
        """Take out one that gave up."""
        queue = self._queues[sequence.share]
        queue.remove(sequence)
        if not queue:
            del self._queues[sequence.share]

    def serve(self, sequence: Sequence) -> None:
        """Take out one whose turn it was."""
        queue = self._queues.pop(sequence.share)
        queue.remove(sequence)
        if queue:
            self._queues[sequence.share] = queue
