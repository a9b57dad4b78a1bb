"""Brings the index into line with the record, which is the truth of what is in force."""

from governance.loading import LoadingStore
from rag.index import IndexPoint, PassageIndex

BATCH_POINTS = 256


def index_version(index: PassageIndex, store: LoadingStore, version_id: str) -> int:
    """Put every passage of a version into the index; the same points again change nothing."""
    passages = store.to_index(version_id)
    points = [
        IndexPoint(
            passage_id=passage.passage_id,
            document_id=passage.document_id,
            version_id=passage.version_id,
            department=passage.department,
            text=passage.embed_text,
            vector=passage.vector,
        )
        for passage in passages
    ]
    for start in range(0, len(points), BATCH_POINTS):
        index.upsert(points[start : start + BATCH_POINTS])
    index.flush()
    return len(points)


def reconcile(index: PassageIndex, store: LoadingStore) -> int:
    """Rebuild the index if it does not hold what the record says; gives the points written."""
    wanted = store.effective_versions()
    whole = all(index.count(version_id) == count for version_id, count in wanted.items())
    if whole and index.count() == sum(wanted.values()):
        return 0
    index.clear()
    return sum(index_version(index, store, version_id) for version_id in wanted)


def rebuild(index: PassageIndex, store: LoadingStore) -> int:
    """Write every passage in force again, in its place: searches find all of it meanwhile.

    Only where something else is left in the index is it emptied first. Gives the points written.
    """
    wanted = store.effective_versions()
    written = sum(index_version(index, store, version_id) for version_id in wanted)
    if index.count() == written:
        return written
    index.clear()
    return sum(index_version(index, store, version_id) for version_id in wanted)
