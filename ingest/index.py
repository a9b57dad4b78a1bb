"""Brings the index into line with the record, which is the truth of what is in force when.

The index may hold more than the record admits, never less: every search asks the record again.
So what comes into force is opened in the index before the record says so, and what goes out of
force is closed afterwards. Which documents are in between is noted in the record.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from governance.index_debts import IndexDebts
from governance.loading import IndexedVersion, LoadingStore
from governance.versions import Span
from rag.errors import EmbeddedByAnother
from rag.index import CLOSED, NEVER, IndexPoint, LiveSpan, PassageIndex

BATCH_POINTS = 256


def live_span(span: Span | None) -> LiveSpan:
    """A time in force as the index writes it."""
    if span is None:
        return CLOSED
    return LiveSpan(span.begins.timestamp(), span.ends.timestamp() if span.ends else NEVER)


def index_version(
    index: PassageIndex, store: LoadingStore, version_id: str, span: LiveSpan = CLOSED
) -> int:
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
            span=span,
        )
        for passage in passages
    ]
    for start in range(0, len(points), BATCH_POINTS):
        index.upsert(points[start : start + BATCH_POINTS])
    return len(points)


def sync_document(
    index: PassageIndex, store: LoadingStore, document_id: str, *, rewrite: bool = False
) -> None:
    """Make the index hold of a document exactly what the record says, and of nothing else less.

    rewrite: its words have changed, and not only when they are in force.
    """
    wanted = store.to_be_indexed(document_id)
    if not wanted:
        index.delete_document(document_id)
    for version in wanted:
        _sync_version(index, store, version, rewrite=rewrite)
    index.flush()


def _sync_version(
    index: PassageIndex, store: LoadingStore, version: IndexedVersion, *, rewrite: bool = False
) -> None:
    span = live_span(version.span)
    if index.count(version.version_id) == version.passages:
        if rewrite:
            # In their places, so that searches find all of them meanwhile.
            index_version(index, store, version.version_id, span)
        else:
            index.set_span(version.version_id, span)
        return
    index.delete_version(version.version_id)
    index_version(index, store, version.version_id, span)


def require_model(store: LoadingStore, model: str) -> None:
    """See that all vectors are of one model, before anything is compared with them.

    Raises EmbeddedByAnother.
    """
    others = store.embedded_by() - {model}
    if others:
        raise EmbeddedByAnother(", ".join(sorted(others)), model)


@contextmanager
def owed(
    index: PassageIndex, store: LoadingStore, debts: IndexDebts, document_id: str
) -> Iterator[None]:
    """Change what the record says of a document; the index follows, also after a crash."""
    debts.note(document_id)
    try:
        yield
    finally:
        pay(index, store, debts, document_id)


def pay(index: PassageIndex, store: LoadingStore, debts: IndexDebts, document_id: str) -> None:
    """Bring one document into line, then strike out its debt."""
    sync_document(index, store, document_id, rewrite=debts.asks_rewrite(document_id))
    debts.strike_out(document_id)


def repair(index: PassageIndex, store: LoadingStore, debts: IndexDebts) -> int:
    """Pay every debt, and bring into line what differs in number; gives how much was mended."""
    owed_documents = debts.open()
    for document_id in owed_documents:
        pay(index, store, debts, document_id)
    removed = _remove_strangers(index, store)
    found = index.versions()
    differing = [one for one in store.to_be_indexed() if found.get(one.version_id) != one.passages]
    for version in differing:
        _sync_version(index, store, version)
    index.flush()
    return len(owed_documents) + removed + len(differing)


def rebuild(index: PassageIndex, store: LoadingStore) -> int:
    """Write every passage again, in its place: searches find all of it meanwhile.

    What the record does not know is removed. Gives the passages written.
    """
    _remove_strangers(index, store)
    wanted = store.to_be_indexed()
    written = sum(
        index_version(index, store, one.version_id, live_span(one.span)) for one in wanted
    )
    found = index.versions()
    for version in wanted:
        if found.get(version.version_id) != version.passages:
            _sync_version(index, store, version)
    index.flush()
    return written


def _remove_strangers(index: PassageIndex, store: LoadingStore) -> int:
    """Remove what the record does not know; what is being loaded stays."""
    known = {one.version_id for one in store.to_be_indexed()} | store.loading_versions()
    strangers = [version_id for version_id in index.versions() if version_id not in known]
    for version_id in strangers:
        index.delete_version(version_id)
    return len(strangers)
