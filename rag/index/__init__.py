"""The search index: what goes in, what comes out, and the promise both adapters keep.

Everything here can be rebuilt from the record: the index holds no text, only vectors, the three
keywords that a filter needs, and from when until when a passage is in force.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from operator import mul
from typing import Protocol

from rag.config import RagSettings

DENSE, SPARSE = "dense", "bm25"  # the names of a point's two vectors
KEYWORDS = ("department", "document", "version")  # payload fields that filters use
SPAN = ("live_from", "live_until")  # payload fields, seconds since 1970: [from, until)
NEVER = 253402300800.0  # the year 10000: what begins then is in force at no time


@dataclass(frozen=True, slots=True)
class LiveSpan:
    """From when until when passages are in force, as seconds since 1970; the end is not in it."""

    live_from: float = NEVER
    live_until: float = NEVER


CLOSED = LiveSpan()
# Found by every search: the record alone decides.
OPEN = LiveSpan(live_from=0.0)


@dataclass(frozen=True, slots=True)
class IndexPoint:
    """One passage as it is searched: its id (a UUID), its owner and its two vectors' sources."""

    passage_id: str
    document_id: str
    version_id: str
    department: str
    text: str  # what BM25 counts: title, heading path and text
    vector: Sequence[float]
    span: LiveSpan = CLOSED


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage; `similarity` is the cosine to the question, None without a vector."""

    passage_id: str
    score: float
    similarity: float | None = None


class PassageIndex(Protocol):
    """Thread-safe; every call returns after its work is done."""

    def upsert(self, points: Sequence[IndexPoint]) -> None:
        """Make the points searchable, replacing those of the same id. Raises DiskFull."""
        ...

    def search(
        self, department: str, text: str, vector: Sequence[float] | None, limit: int, at: float
    ) -> list[Hit]:
        """Return one department's best passages in force at a time; no vector: by words alone."""
        ...

    def set_span(self, version_id: str, span: LiveSpan) -> None:
        """Say from when until when every passage of a version is in force."""
        ...

    def versions(self) -> Mapping[str, int]:
        """Count the passages of every version that has any."""
        ...

    def delete_version(self, version_id: str) -> None:
        """Remove every passage of a version."""
        ...

    def delete_document(self, document_id: str) -> None:
        """Remove every passage of a document."""
        ...

    def clear(self) -> None:
        """Remove everything: what follows is a rebuild from the record."""
        ...

    def count(self, version_id: str | None = None) -> int:
        """Count the passages: of all, or of one version."""
        ...

    def count_document(self, document_id: str) -> int:
        """Count the passages of a document."""
        ...

    def flush(self) -> None:
        """Return when everything is on the disk."""
        ...

    def close(self) -> None:
        """Let go of the index; nothing else may be called afterwards."""
        ...


def payload(point: IndexPoint) -> dict[str, str | float]:
    """Return what a filter can ask of a point."""
    values = (point.department, point.document_id, point.version_id)
    return {**dict(zip(KEYWORDS, values, strict=True)), **span_payload(point.span)}


def span_payload(span: LiveSpan) -> dict[str, float]:
    """Return the part of it that changes when a policy comes into force or goes out of it."""
    return dict(zip(SPAN, (span.live_from, span.live_until), strict=True))


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors, 0 where one of them is zero."""
    length = hypot(*left) * hypot(*right)
    return sum(map(mul, left, right)) / length if length else 0.0


def open_index(settings: RagSettings) -> PassageIndex:
    """Open the embedded shard, or the server where one is set. Raises IndexFault."""
    # Imported here because each adapter loads 60 MB of an engine that the other does not need.
    if settings.qdrant_url is not None:
        from rag.index.server import ServerIndex

        return ServerIndex.connect(settings)
    from rag.index.edge import EdgeIndex

    return EdgeIndex(settings)
