"""The search index on a Qdrant server: the same layout as the embedded shard, chosen by a setting.

How many shards and copies there are is said once, when the collection is made; the rest is the
server's own affair. BM25 vectors are computed here, by the same code as in the embedded form, so
that both hold the same words.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import cast

import structlog
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse
from qdrant_edge import Bm25, Bm25Config
from qdrant_edge import SparseVector as Words

from rag.config import RagSettings
from rag.errors import IndexUnreachable, IndexUnreadable
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

# A facet is asked for all versions at once: more than a collection of ours holds.
MAX_VERSIONS = 1_000_000
EXISTS = 409  # the status of a collection that another process has just made

log = structlog.get_logger(__name__)


class ServerIndex:
    """A PassageIndex over one collection of a Qdrant server."""

    def __init__(self, client: QdrantClient, settings: RagSettings) -> None:
        self._client = client
        self._collection = settings.qdrant_collection
        self._url = settings.qdrant_url or "memory"
        self._candidates = settings.search_candidates
        self._settings = settings
        self._lock = Lock()
        self._bm25 = Bm25(Bm25Config(language="english", ascii_folding=True))
        with self._door():
            self._prepare(settings.embed_dimensions)

    @classmethod
    def connect(cls, settings: RagSettings) -> "ServerIndex":
        """Connect to the server that the settings name. Raises IndexUnreachable."""
        client = QdrantClient(
            url=settings.qdrant_url,
            api_key=settings.qdrant_api_key or None,
            timeout=settings.qdrant_timeout_s,
            check_compatibility=False,  # it warns instead of raising; the first request raises
        )
        return cls(client, settings)

    def upsert(self, points: Sequence[IndexPoint]) -> None:
        """Make the points searchable, replacing those of the same id."""
        if not points:
            return
        batch = [self._point(point) for point in points]
        with self._door():
            self._client.upsert(self._collection, batch, wait=True)

    def search(
        self, department: str, text: str, vector: Sequence[float] | None, limit: int, at: float
    ) -> list[Hit]:
        """Return one department's best passages in force at a time; no vector: by words alone."""
        words = _sparse(self._bm25.embed_query(text))
        if not words.indices:  # only stop words: an empty sparse vector is refused
            words = models.SparseVector(indices=[0], values=[0.0])
        with self._door():
            found = self._query(_in_force(department, at), words, vector, limit)
        return [_hit(point, vector) for point in found]

    def set_span(self, version_id: str, span: LiveSpan) -> None:
        """Say from when until when every passage of a version is in force."""
        with self._door():
            self._client.set_payload(
                self._collection, span_payload(span), points=_only("version", version_id), wait=True
            )

    def versions(self) -> Mapping[str, int]:
        """Count the passages of every version that has any."""
        with self._door():
            found = self._client.facet(self._collection, "version", limit=MAX_VERSIONS, exact=True)
            return {str(hit.value): hit.count for hit in found.hits if hit.count}

    def delete_version(self, version_id: str) -> None:
        """Remove every passage of a version."""
        self._delete("version", version_id)

    def delete_document(self, document_id: str) -> None:
        """Remove every passage of a document."""
        self._delete("document", document_id)

    def clear(self) -> None:
        """Remove everything: what follows is a rebuild from the record."""
        with self._door():
            everything = models.FilterSelector(filter=models.Filter(must=[]))
            self._client.delete(self._collection, everything, wait=True)

    def count(self, version_id: str | None = None) -> int:
        """Count the passages: of all, or of one version."""
        return self._count(None if version_id is None else _only("version", version_id))

    def count_document(self, document_id: str) -> int:
        """Count the passages of a document."""
        return self._count(_only("document", document_id))

    def flush(self) -> None:
        """Do nothing: every write above waited until the server had it in its log."""

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._client.close()

    def _query(
        self,
        wanted: models.Filter,
        words: models.SparseVector,
        vector: Sequence[float] | None,
        limit: int,
    ) -> list[models.ScoredPoint]:
        # How rare a word is, is counted among what this search may find: no other department's
        # documents move its order.
        rarity = models.SearchParams(idf=models.IdfCorpusParams(corpus=wanted))
        if vector is None:
            return self._client.query_points(
                self._collection,
                query=words,
                using=SPARSE,
                query_filter=wanted,
                search_params=rarity,
                limit=limit,
            ).points
        depth = max(limit, self._candidates)
        # The filter stands on the request and on every prefetch: one alone leaks.
        both = [
            models.Prefetch(query=list(vector), using=DENSE, filter=wanted, limit=depth),
            models.Prefetch(query=words, using=SPARSE, filter=wanted, params=rarity, limit=depth),
        ]
        ranks = models.RrfQuery(rrf=models.Rrf(k=self._settings.fusion_rrf_k))
        fused = models.Prefetch(prefetch=both, query=ranks, filter=wanted, limit=2 * depth)
        return self._client.query_points(
            self._collection,
            prefetch=[*both, fused],
            query=_formula(self._settings),
            query_filter=wanted,
            limit=limit,
            with_vectors=[DENSE],
        ).points

    def _prepare(self, dimensions: int) -> None:
        if not self._client.collection_exists(self._collection):
            self._create(dimensions)
        self._require_layout(dimensions)
        if self._url == "memory":  # the client's own store has no payload indexes, and warns
            return
        for keys, kind in (
            (KEYWORDS, models.PayloadSchemaType.KEYWORD),
            (SPAN, models.PayloadSchemaType.FLOAT),
        ):
            for key in keys:  # the same index again is no error
                self._client.create_payload_index(self._collection, key, kind)

    def _create(self, dimensions: int) -> None:
        dense = models.VectorParams(size=dimensions, distance=models.Distance.COSINE)
        try:
            self._client.create_collection(
                self._collection,
                vectors_config={DENSE: dense},
                sparse_vectors_config={
                    SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)
                },
                shard_number=self._settings.qdrant_shards,
                replication_factor=self._settings.qdrant_replicas,
                write_consistency_factor=self._settings.qdrant_write_consistency,
            )
        except UnexpectedResponse as error:
            if error.status_code != EXISTS:
                raise

    def _require_layout(self, dimensions: int) -> None:
        params = self._client.get_collection(self._collection).config.params
        found = params.vectors.get(DENSE) if isinstance(params.vectors, dict) else None
        if found is None or found.size != dimensions:
            size = "none" if found is None else found.size
            reason = f"its vectors have size {size}, not {dimensions}"
            raise IndexUnreadable(f"{self._url} ({self._collection})", reason)
        if self._url != "memory" and (differing := _spread_otherwise(params, self._settings)):
            log.warning("the collection was made otherwise than set", **differing)

    def _point(self, point: IndexPoint) -> models.PointStruct:
        words = _sparse(self._bm25.embed_document(point.text))
        vectors: dict[str, models.Vector] = {DENSE: list(point.vector), SPARSE: words}
        return models.PointStruct(id=point.passage_id, vector=vectors, payload=payload(point))

    def _count(self, wanted: models.Filter | None) -> int:
        with self._door():
            return self._client.count(self._collection, count_filter=wanted, exact=True).count

    def _delete(self, key: str, value: str) -> None:
        with self._door():
            self._client.delete(
                self._collection, models.FilterSelector(filter=_only(key, value)), wait=True
            )

    @contextmanager
    def _door(self) -> Iterator[None]:
        """Hold the lock, and give the client's errors our name."""
        try:
            with self._lock:
                yield
        except ApiException as error:
            raise IndexUnreachable(self._url, type(error).__name__) from error


def _sparse(words: Words) -> models.SparseVector:
    return models.SparseVector(indices=list(words.indices), values=list(words.values))


def _formula(settings: RagSettings) -> models.FormulaQuery:
    """cosine, BM25 and reciprocal ranks (the three prefetches, in this order) as one score."""
    weights = (settings.fusion_similarity_weight, 1.0, settings.fusion_rrf_weight)
    absent = (settings.fusion_absent_similarity, 0.0, 0.0)
    return models.FormulaQuery(
        formula=models.SumExpression(
            sum=[
                models.MultExpression(mult=[weight, f"$score[{place}]"])
                for place, weight in enumerate(weights)
            ]
        ),
        defaults={f"$score[{place}]": value for place, value in enumerate(absent)},
    )


def _spread_otherwise(
    params: models.CollectionParams, settings: RagSettings
) -> dict[str, int | None]:
    """What a collection was made with, where the settings now say something else."""
    asked = {
        "shard_number": settings.qdrant_shards,
        "replication_factor": settings.qdrant_replicas,
        "write_consistency_factor": settings.qdrant_write_consistency,
    }
    made: dict[str, int | None] = {name: getattr(params, name) for name in asked}
    return {name: value for name, value in made.items() if value != asked[name]}


def _only(key: str, value: str) -> models.Filter:
    return models.Filter(
        must=[models.FieldCondition(key=key, match=models.MatchValue(value=value))]
    )


def _in_force(department: str, at: float) -> models.Filter:
    begun, ended = SPAN
    return models.Filter(
        must=[
            models.FieldCondition(key="department", match=models.MatchValue(value=department)),
            models.FieldCondition(key=begun, range=models.Range(lte=at)),
            models.FieldCondition(key=ended, range=models.Range(gt=at)),
        ]
    )


def _hit(point: models.ScoredPoint, vector: Sequence[float] | None) -> Hit:
    stored = point.vector
    if vector is None or not isinstance(stored, dict):
        return Hit(str(point.id), point.score)
    return Hit(str(point.id), point.score, cosine(vector, cast("list[float]", stored[DENSE])))
