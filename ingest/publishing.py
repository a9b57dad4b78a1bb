"""Changes what answers questions: the record decides, the index follows, also after a crash."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import structlog

from governance.config import GovernanceSettings
from governance.document_locks import DocumentLocks
from governance.erasing import Erasing, Receipt
from governance.errors import NotFound
from governance.events import SYSTEM, Actor
from governance.index_debts import IndexDebts
from governance.loading import LoadingStore
from governance.policy_fields import PolicyFields
from governance.record.database import Record
from governance.version_life import VersionLife
from governance.versions import Act
from ingest.index import index_version, owed, pay, rebuild, repair
from rag.index import CLOSED, OPEN, PassageIndex

# After these a version may be in force that was not before.
OPENING = frozenset({Act.APPROVE, Act.OVERRIDE, Act.FIX, Act.RECALL})
CLOSING = frozenset({Act.RETIRE})

log = structlog.get_logger(__name__)


class Publisher:
    """Puts versions in force and takes them out of it, and removes documents."""

    def __init__(
        self,
        record: Record,
        index: PassageIndex,
        store: LoadingStore,
        life: VersionLife,
        settings: GovernanceSettings,
    ) -> None:
        self._index = index
        self._store = store
        self._life = life
        self._debts = IndexDebts(record)
        self._erasing = Erasing(record, settings)
        # A rebuild between a version's points and the end of its job would lose the points.
        self._locks = DocumentLocks(record, settings)

    def do(
        self, act: Act, actor: Actor, version_id: str, reason: str = "", looked: bool = False
    ) -> str:
        """Do what a person decided; gives the document's id. Raises NotFound, IllegalTransition."""
        if act not in OPENING | CLOSING:
            return self._life.do(act, actor, version_id, reason, looked)
        with self._changing_version(version_id) as document_id:
            if act in OPENING:
                self._open_all(document_id)
            return self._life.do(act, actor, version_id, reason, looked)

    def change(self, actor: Actor, version_id: str, fields: PolicyFields) -> None:
        """State the fields of a draft anew; what is searched of it follows its title.

        Raises NotFound, IllegalTransition, InvalidName.
        """
        with self._changing_version(version_id):
            self._life.change(actor, version_id, fields)

    def attach(self, actor: Actor, version_id: str, document_id: str) -> None:
        """Make a draft the next version of another document. Raises NotFound, IllegalTransition."""
        before = self._store.document_of(version_id)
        with self._changing(document_id, before):
            self._debts.note(before)
            self._life.attach(actor, version_id, document_id)
            pay(self._index, self._store, self._debts, before)

    def finish(self, version_id: str, job_id: str) -> None:
        """Put a loaded version into the index and end its job; twice is no error."""
        span = OPEN if self._store.goes_into_force(job_id) else CLOSED
        with self._changing_version(version_id):
            # One that is loaded may be in force by now: its points must not be closed again.
            if version_id in self._store.loading_versions():
                index_version(self._index, self._store, version_id, span)
                self._store.finish(version_id, job_id)

    def drop(self, version_id: str) -> None:
        """Take a version that could not be loaded out of the index."""
        try:
            document_id = self._store.document_of(version_id)
        except NotFound:
            document_id = version_id
        with self._locks.of(document_id):
            # Somebody may have loaded it again since, and with success.
            kept = self._store.to_be_indexed(document_id)
            if version_id not in {one.version_id for one in kept}:
                self._index.delete_version(version_id)

    def delete(self, actor: Actor, document_id: str) -> None:
        """Remove a document: from the record first, so that it cannot answer any more."""
        with self._locks.of(document_id):
            indexed = self._index.count_document(document_id)
            receipt_id = self._erasing.begin(actor, document_id, indexed)
            self._finish_erasing(receipt_id, document_id, actor)

    def forget(self, actor: Actor, job_id: str) -> None:
        """Take an ended job off the list, together with what it could not load."""
        self._erasing.forget(actor, job_id)

    def receipts(self, department_ids: Collection[str], limit: int) -> tuple[Receipt, ...]:
        """The latest receipts of some departments, newest first."""
        return self._erasing.receipts(department_ids, limit)

    def repair(self) -> int:
        """Bring the index into line with the record; gives how much was mended."""
        with self._locks.of_all():
            mended = repair(self._index, self._store, self._debts)
            for receipt_id, document_id in self._erasing.open():
                self._finish_erasing(receipt_id, document_id, SYSTEM)
        return mended

    def pay_debts(self) -> None:
        """Try again what an index that did not answer has left undone."""
        for document_id in self._debts.open():
            with self._locks.of(document_id):
                # Whoever had the turn before may have paid it.
                if document_id in self._debts.open():
                    pay(self._index, self._store, self._debts, document_id)

    def rebuild(self) -> int:
        """Write the whole index again from the record; gives the passages written."""
        with self._locks.of_all():
            return rebuild(self._index, self._store)

    @contextmanager
    def _changing(self, document_id: str, *others: str) -> Iterator[None]:
        with self._locks.of(document_id, *others) as still_ours:
            try:
                with owed(self._index, self._store, self._debts, document_id):
                    yield
            finally:
                # Without the lock somebody else may have written before our last write.
                if not still_ours():
                    self._debts.note(document_id)

    @contextmanager
    def _changing_version(self, version_id: str) -> Iterator[str]:
        """The same for the document of a version, which is another one once it is attached."""
        document_id = ""
        while not document_id:
            found = self._store.document_of(version_id)
            with self._changing(found):
                if self._store.document_of(version_id) == found:
                    document_id = found
                    yield document_id

    def _open_all(self, document_id: str) -> None:
        """Let searches find every version, so that none is missing when the record changes."""
        for version in self._store.to_be_indexed(document_id):
            self._index.set_span(version.version_id, OPEN)

    def _finish_erasing(self, receipt_id: str, document_id: str, actor: Actor) -> None:
        pay(self._index, self._store, self._debts, document_id)
        self._erasing.complete(receipt_id, self._index.count_document(document_id), actor)
