"""The search index: what goes in, what comes out, and the promise both adapters keep.

Everything here can be rebuilt from the record: the index holds no text, only vectors and the
three keywords that a filter needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from operator import mul
from typing import Protocol

from rag.config import RagSettings

DENSE, SPARSE = "dense", "bm25"  # the names of a point's two vectors
KEYWORDS = ("department", "document", "version")  # payload fields that filters use


@dataclass(frozen=True, slots=True)
class IndexPoint:
    """One passage as it is searched: its id (a UUID), its owner and its two vectors' sources."""

    passage_id: str
    document_id: str
    version_id: str
    department: str
    text: str  # what BM25 counts: title, heading path and text
    vector: Sequence[float]


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
        self, department: str, text: str, vector: Sequence[float] | None, limit: int
    ) -> list[Hit]:
        """Return the best passages of one department; without a vector, by keywords alone."""
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

    def flush(self) -> None:
        """Return when everything is on the disk."""
        ...

    def close(self) -> None:
        """Let go of the index; nothing else may be called afterwards."""
        ...


def payload(point: IndexPoint) -> dict[str, str]:
    """Return what a filter can ask of a point."""
    values = (point.department, point.document_id, point.version_id)
    return dict(zip(KEYWORDS, values, strict=True))


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
