"""The search index inside this process: Qdrant Edge, one shard, one owner.

Every call into the engine holds the interpreter's lock, so one lock of our own costs nothing.
A write on a full disk ends the process by SIGBUS (the engine writes through memory maps), so free
space is asked for before each batch. What was written survives a killed process in the
write-ahead log; `flush` makes it survive a power cut.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any, cast

import qdrant_edge as edge
import structlog

from rag.config import RagSettings
from rag.errors import DiskFull, IndexInUse, IndexUnreadable
from rag.index import (
    DENSE,
    KEYWORDS,
    SPAN,
    SPARSE,
    Hit,
    IndexPoint,
    LiveSpan,
    cosine,
    payload,
    span_payload,
)

# Vectors, sparse vector, payload and log of one passage, measured with room to spare.
POINT_BYTES = 16 * 1024
log = structlog.get_logger(__name__)

# More versions than a shard of this kind can hold.
MAX_VERSIONS = 10_000_000


class EdgeIndex:
    """A PassageIndex over one Qdrant Edge shard."""

    def __init__(self, settings: RagSettings) -> None:
        self._path = settings.index_dir
        self._reserve_bytes = settings.index_reserve_bytes
        self._settings = settings
        self._candidates = settings.search_candidates
        self._dimensions = settings.embed_dimensions
        self._lock = Lock()
        self._bm25 = edge.Bm25(edge.Bm25Config(language="english", ascii_folding=True))
        self._require_space(0)
        self._shard = _open(self._path, self._dimensions, settings.index_scan_kib)
        self._optimize()

    def upsert(self, points: Sequence[IndexPoint]) -> None:
        """Make the points searchable, replacing those of the same id. Raises DiskFull."""
        if not points:
            return
        self._require_space(len(points))
        batch = [self._point(point) for point in points]
        with self._lock:
            self._shard.update(edge.UpdateOperation.upsert_points(batch))

    def search(
        self, department: str, text: str, vector: Sequence[float] | None, limit: int, at: float
    ) -> list[Hit]:
        """Return one department's best passages in force at a time; no vector: by words alone."""
        request = self._request(_in_force(department, at), text, vector, limit)
        with self._lock:
            found = self._shard.query(request)
        return [_hit(point, vector) for point in found]

    def set_span(self, version_id: str, span: LiveSpan) -> None:
        """Say from when until when every passage of a version is in force. Raises DiskFull."""
        self._require_space(0)
        change = edge.UpdateOperation.set_payload_by_filter(
            _only("version", version_id), dict(span_payload(span))
        )
        with self._lock:
            self._shard.update(change)

    def versions(self) -> Mapping[str, int]:
        """Count the passages of every version that has any."""
        with self._lock:
            asked = edge.FacetRequest("version", limit=MAX_VERSIONS, exact=True)
            return {str(hit.value): hit.count for hit in self._shard.facet(asked).hits if hit.count}

    def delete_version(self, version_id: str) -> None:
        """Remove every passage of a version."""
        self._delete("version", version_id)

    def delete_document(self, document_id: str) -> None:
        """Remove every passage of a document."""
        self._delete("document", document_id)

    def clear(self) -> None:
        """Remove everything: what follows is a rebuild from the record."""
        everything = edge.Filter(must=[])
        with self._lock:
            self._shard.update(edge.UpdateOperation.delete_points_by_filter(everything))

    def count(self, version_id: str | None = None) -> int:
        """Count the passages: of all, or of one version."""
        return self._count(None if version_id is None else _only("version", version_id))

    def count_document(self, document_id: str) -> int:
        """Count the passages of a document."""
        return self._count(_only("document", document_id))

    def flush(self) -> None:
        """Return when everything is on the disk."""
        with self._lock:
            self._shard.flush()

    def close(self) -> None:
        """Let go of the index; nothing else may be called afterwards."""
        with self._lock:
            self._shard.close()

    def _request(
        self, wanted: edge.Filter, text: str, vector: Sequence[float] | None, limit: int
    ) -> edge.QueryRequest:
        # A filter that stands on one prefetch alone leaks through the other: it stands on all.
        depth = max(limit, self._candidates)
        words = edge.Query.Nearest(self._bm25.embed_query(text), using=SPARSE)
        # How rare a word is, is counted among what this search may find: no other department's
        # documents move its order.
        rarity = edge.SearchParams(idf=edge.IdfParams(wanted))
        if vector is None:
            return edge.QueryRequest(limit=limit, query=words, filter=wanted, params=rarity)
        meaning = edge.Query.Nearest(list(vector), using=DENSE)
        both = [
            edge.Prefetch(limit=depth, query=meaning, filter=wanted),
            edge.Prefetch(limit=depth, query=words, filter=wanted, params=rarity),
        ]
        # The stubs do not say that Rrf is a Fusion.
        ranks: Any = edge.Fusion.Rrf(self._settings.fusion_rrf_k)
        fused = edge.Prefetch(limit=2 * depth, prefetches=both, query=ranks, filter=wanted)
        return edge.QueryRequest(
            limit=limit,
            prefetches=[*both, fused],
            query=_formula(self._settings),
            filter=wanted,
            with_vector=[DENSE],
        )

    def _point(self, point: IndexPoint) -> edge.Point:
        vectors: dict[str, list[float] | edge.SparseVector | list[list[float]]] = {
            DENSE: list(point.vector),
            SPARSE: self._bm25.embed_document(point.text),
        }
        return edge.Point(point.passage_id, vectors, payload(point))

    def _count(self, wanted: edge.Filter | None) -> int:
        with self._lock:
            return self._shard.count(edge.CountRequest(exact=True, filter=wanted))

    def _delete(self, key: str, value: str) -> None:
        with self._lock:
            self._shard.update(edge.UpdateOperation.delete_points_by_filter(_only(key, value)))

    def _optimize(self) -> None:
        """Give the vectors of a large index their graph, and take what was deleted out of it.

        It holds the interpreter for about a millisecond a passage, so it is done before anybody
        asks; what comes later is looked through until the next start.
        """
        count = self.count()
        try:
            self._require_space(count)
        except DiskFull as full:
            log.warning("the search index stays as it is", reason=full.message)
            return
        began = perf_counter()
        if self._shard.optimize():
            seconds = round(perf_counter() - began, 1)
            log.info("the search index was put in order", passages=count, seconds=seconds)

    def _require_space(self, points: int) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        needed = self._reserve_bytes + points * POINT_BYTES
        free = shutil.disk_usage(self._path).free
        if free < needed:
            raise DiskFull(free, needed)


def _open(path: Path, dimensions: int, scan_kib: int) -> edge.EdgeShard:
    """Load the shard, or make it; `load` with a layout also completes a half-made one."""
    try:
        shard = edge.EdgeShard.load(str(path), _layout(dimensions, scan_kib))
    except Exception as error:  # the engine raises nothing narrower
        reason = str(error)
        if "WAL" in reason and "WouldBlock" in reason:
            raise IndexInUse(str(path)) from error
        raise IndexUnreadable(str(path), reason) from error
    for key in KEYWORDS:
        index = edge.UpdateOperation.create_field_index(key, edge.PayloadSchemaType.Keyword)
        shard.update(index)
    for key in SPAN:
        index = edge.UpdateOperation.create_field_index(key, edge.PayloadSchemaType.Float)
        shard.update(index)
    return shard


def _layout(dimensions: int, scan_kib: int) -> edge.EdgeConfig:
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(dimensions, edge.Distance.Cosine)},
        sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=scan_kib),
        max_search_threads=1,  # eight threads gained nothing on two cores
    )


def _formula(settings: RagSettings) -> edge.Formula:
    """cosine, BM25 and reciprocal ranks (the three prefetches, in this order) as one score."""
    parts: list[edge.Expression] = [
        _times(settings.fusion_similarity_weight, 0),
        _times(1.0, 1),
        _times(settings.fusion_rrf_weight, 2),
    ]
    absent = (settings.fusion_absent_similarity, 0.0, 0.0)
    defaults = {f"$score[{place}]": value for place, value in enumerate(absent)}
    return edge.Formula(edge.Expression.Sum(parts), defaults)


def _times(weight: float, place: int) -> edge.Expression:
    score = edge.Expression.Variable(f"$score[{place}]")
    return edge.Expression.Mult([edge.Expression.Constant(weight), score])


def _only(key: str, value: str) -> edge.Filter:
    return edge.Filter(must=[edge.FieldCondition(key, match=edge.MatchValue(value))])


def _in_force(department: str, at: float) -> edge.Filter:
    begun, ended = SPAN
    return edge.Filter(
        must=[
            edge.FieldCondition("department", match=edge.MatchValue(department)),
            edge.FieldCondition(begun, range=edge.RangeFloat(lte=at)),
            edge.FieldCondition(ended, range=edge.RangeFloat(gt=at)),
        ]
    )


def _hit(point: edge.ScoredPoint, vector: Sequence[float] | None) -> Hit:
    stored = point.vector
    if vector is None or not isinstance(stored, dict):
        return Hit(str(point.id), point.score)
    return Hit(str(point.id), point.score, cosine(vector, cast("list[float]", stored[DENSE])))
