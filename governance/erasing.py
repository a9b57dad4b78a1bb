"""Removes documents with all they hold, and keeps a receipt: what there was, and what is left.

The rows go in one transaction, which notes the debt to the index and begins the receipt. The index
and the stored files follow, and the receipt is completed with what is counted then. Backups made
before still hold the text; how long they are kept is the department's own rule.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, func, select, update

from governance.clock import Clock, utc_now
from governance.config import GovernanceSettings
from governance.events import Action, Actor, Event
from governance.index_debts import note_debt
from governance.jobs import OPEN_STATES
from governance.loading_rows import gone
from governance.original_drops import drop_unreferenced
from governance.originals import original_path
from governance.page_scans import count_scans
from governance.record.database import Record
from governance.record.document_tables import receipts
from governance.record.tables import documents, jobs, pages, passages, versions
from governance.version_life import identity_of
from governance.versions import VersionState

UNLOADED = (VersionState.REFUSED, VersionState.FAILED)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was removed.

    before, after: counts of versions, pages, passages, indexed, files and scans, which are pages
    that OCR has read.
    completed_at: None while something is still to be removed.
    """

    id: str
    document_id: str
    department_id: str
    policy_number: str | None
    by: str
    begun_at: datetime
    before: Mapping[str, int]
    after: Mapping[str, int] | None
    completed_at: datetime | None


class Erasing:
    """The record's side of removing a document."""

    def __init__(
        self, record: Record, settings: GovernanceSettings, clock: Clock = utc_now
    ) -> None:
        self._record = record
        self._settings = settings
        self._clock = clock

    def begin(self, actor: Actor, document_id: str, indexed: int) -> str:
        """Take a document out of the record; gives the receipt's id. Raises NotFound.

        indexed: how many of its passages the index holds.
        """
        with self._record.write() as connection:
            found = connection.execute(
                select(versions, documents.c.department_id)
                .select_from(versions.join(documents))
                .where(versions.c.document_id == document_id)
                .order_by(versions.c.number.desc())
            ).all()
            if not found:
                raise gone()
            digests = sorted({row.digest for row in found})
            before = _counts(connection, document_id) | {
                "indexed": indexed,
                "files": sum(self._path(digest).exists() for digest in digests),
                "scans": count_scans(connection, digests),
            }
            receipt_id = str(uuid4())
            connection.execute(
                receipts.insert().values(
                    id=receipt_id,
                    department_id=found[0].department_id,
                    document_id=document_id,
                    policy_number=found[0].policy_number,
                    by=identity_of(actor),
                    begun_at=self._clock(),
                    before=json.dumps({"counts": before, "digests": digests}),
                )
            )
            note_debt(connection, document_id, self._clock)
            ids = [row.id for row in found]
            connection.execute(jobs.delete().where(jobs.c.version_id.in_(ids)))
            connection.execute(documents.delete().where(documents.c.id == document_id))
            self._note(
                connection,
                Action.DOCUMENT_DELETED,
                actor,
                found[0].department_id,
                document_id,
                {"versions": len(found)},
            )
        return receipt_id

    def complete(self, receipt_id: str, indexed: int, actor: Actor) -> None:
        """Remove the stored files and write down what is left; twice is no error."""
        with self._record.read() as connection:
            row = connection.execute(select(receipts).where(receipts.c.id == receipt_id)).one()
        digests = json.loads(row.before)["digests"]
        drop_unreferenced(self._record, self._settings, digests)
        with self._record.write() as connection:
            left = self._unshared(connection, digests)
            after = _counts(connection, row.document_id) | {
                "indexed": indexed,
                "files": sum(self._path(digest).exists() for digest in left),
                "scans": count_scans(connection, left),
            }
            done = connection.execute(
                update(receipts)
                .where(receipts.c.id == receipt_id, receipts.c.completed_at.is_(None))
                .values(after=json.dumps(after), completed_at=self._clock())
            )
            if done.rowcount:
                self._note(
                    connection,
                    Action.DOCUMENT_ERASED,
                    actor,
                    row.department_id,
                    row.document_id,
                    {f"{name}_left": count for name, count in after.items()},
                )

    def forget(self, actor: Actor, job_id: str) -> None:
        """Take an ended job off the list, together with what it could not load."""
        with self._record.write() as connection:
            ended = connection.execute(
                jobs.delete()
                .where(jobs.c.id == job_id, jobs.c.state.not_in(OPEN_STATES))
                .returning(jobs.c.department_id, jobs.c.version_id)
            ).one_or_none()
            if ended is None:
                return
            digest = _remove_unloaded(connection, ended.version_id)
            event = Event(
                Action.JOB_FORGOTTEN,
                actor,
                department_id=ended.department_id,
                object_type="job",
                object_id=job_id,
            )
            self._record.trail.append(connection, event)
        drop_unreferenced(self._record, self._settings, [digest] if digest else [])

    def open(self) -> tuple[tuple[str, str], ...]:
        """Pairs of receipt and document for what is not wholly removed yet, oldest first."""
        query = (
            select(receipts.c.id, receipts.c.document_id)
            .where(receipts.c.completed_at.is_(None))
            .order_by(receipts.c.begun_at)
        )
        with self._record.read() as connection:
            return tuple((row.id, row.document_id) for row in connection.execute(query))

    def receipts(self, department_ids: Collection[str], limit: int = 100) -> tuple[Receipt, ...]:
        """The latest receipts of some departments, newest first."""
        query = (
            select(receipts)
            .where(receipts.c.department_id.in_(department_ids))
            .order_by(receipts.c.begun_at.desc(), receipts.c.id)
            .limit(limit)
        )
        with self._record.read() as connection:
            return tuple(_receipt(row) for row in connection.execute(query).mappings())

    def _unshared(self, connection: Connection, digests: Collection[str]) -> frozenset[str]:
        """Those of the files that no other document is made of, and so should be gone."""
        used = connection.execute(
            select(versions.c.digest).where(versions.c.digest.in_(digests))
        ).scalars()
        return frozenset(digests) - frozenset(used)

    def _path(self, digest: str) -> Path:
        return original_path(self._settings.originals_dir, digest)

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        department_id: str,
        document_id: str,
        facts: Mapping[str, int],
    ) -> None:
        event = Event(
            action,
            actor,
            department_id=department_id,
            object_type="document",
            object_id=document_id,
            facts=dict(facts),
        )
        self._record.trail.append(connection, event)


def _remove_unloaded(connection: Connection, version_id: str | None) -> str | None:
    """Remove a version that could not be read, and its document if it has no other."""
    row = connection.execute(
        versions.delete()
        .where(versions.c.id == version_id, versions.c.state.in_(UNLOADED))
        .returning(versions.c.digest, versions.c.document_id)
    ).one_or_none()
    if row is None:
        return None
    others = select(versions.c.id).where(versions.c.document_id == row.document_id)
    if connection.execute(others.limit(1)).first() is None:
        connection.execute(documents.delete().where(documents.c.id == row.document_id))
    return str(row.digest)


def _counts(connection: Connection, document_id: str) -> dict[str, int]:
    """What the record holds of a document."""
    of_document = versions.c.document_id == document_id
    counted = {
        "versions": select(func.count()).select_from(versions).where(of_document),
        "pages": select(func.count()).select_from(pages.join(versions)).where(of_document),
        "passages": select(func.count()).select_from(passages.join(versions)).where(of_document),
    }
    return {name: connection.execute(query).scalar_one() for name, query in counted.items()}


def _receipt(row: RowMapping) -> Receipt:
    return Receipt(
        row["id"],
        row["document_id"],
        row["department_id"],
        row["policy_number"],
        row["by"],
        row["begun_at"],
        json.loads(row["before"])["counts"],
        json.loads(row["after"]) if row["after"] else None,
        row["completed_at"],
    )
