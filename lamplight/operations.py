"""What the owner of the machine does to a data directory: rebuild the index, back up, change keys.

The platform does it where one runs, because it owns the index; else the command does it itself,
under the directory's lock, without a runtime and without models.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from governance.audit.checkpoint import Checkpoints
from governance.audit.last_signed import LastSigned
from governance.audit.rotation import Rotated, rotate, signing_key
from governance.errors import BackupRefused
from governance.events import Action, Actor, Event
from governance.loading import LoadingStore
from governance.record.database import Record, open_record
from governance.secrets import Secrets
from ingest.index import rebuild, require_model
from lamplight.backup import make_backup
from lamplight.lock import DataLock
from lamplight.manifest import Manifest, summary
from lamplight.settings import Settings
from rag.index import open_index

if TYPE_CHECKING:
    # Loading it takes half a second, and a command that only makes a backup does without.
    from ingest.workflow import Loader

# Whoever reaches the data directory's own files, by the command line.
OWNER = Actor("local", "owner", "socket")


class Operations:
    """The operations of a running platform."""

    def __init__(
        self, record: Record, loader: "Loader", settings: Settings, checkpoints: Checkpoints
    ) -> None:
        self._record = record
        self._loader = loader
        self._settings = settings
        self._checkpoints = checkpoints
        # A backup must not hold the record from before a change of the key, and the key of after.
        self._turn = Lock()

    def rebuild_index(self, actor: Actor) -> int:
        """Write the index again while questions are answered; gives the passages written."""
        passages = self._loader.publisher.rebuild()
        note_rebuild(self._record, actor, passages)
        return passages

    def back_up(self, actor: Actor, destination: Path, *, with_keys: bool) -> dict[str, Any]:
        """Make a backup while files are loaded and questions answered; gives its summary.

        Raises BackupRefused, NoSpace, RecordNotCopied.
        """
        now = datetime.now(UTC)
        with self._turn:
            made = make_backup(
                self._record, self._settings, destination, actor, with_keys=with_keys, made_at=now
            )
        return summary(made)

    def rotate_key(self, actor: Actor) -> dict[str, Any]:
        """Let a new key sign the trail; gives the public keys.

        Raises SecretUnsafe, TrailBroken, TrailBlocked, AnchorUnreachable.
        """
        secrets = Secrets(self._settings.governance.keys_dir)
        with self._turn:
            return told(rotate(self._record, self._checkpoints, secrets, actor))


def rebuild_alone(settings: Settings) -> int:
    """Build a new index where no platform runs; also where the old one cannot be read.

    Raises AlreadyRunning, RecordUnusable, IndexFault.
    """
    with _record_alone(settings, "reindex") as record:
        store = LoadingStore(record, settings.governance)
        require_model(store, settings.rag.embed_model)
        if settings.rag.qdrant_url is None:
            shutil.rmtree(settings.rag.index_dir, ignore_errors=True)
        index = open_index(settings.rag)
        try:
            passages = rebuild(index, store)
        finally:
            index.close()
        note_rebuild(record, OWNER, passages)
        return passages


def back_up_alone(settings: Settings, destination: Path, *, with_keys: bool) -> Manifest:
    """Make a backup where no platform runs.

    Raises AlreadyRunning, BackupRefused, NoSpace, RecordNotCopied, RecordUnusable.
    """
    with _record_alone(settings, "backup") as record:
        now = datetime.now(UTC)
        return make_backup(record, settings, destination, OWNER, with_keys=with_keys, made_at=now)


def rotate_alone(settings: Settings) -> dict[str, Any]:
    """Let a new key sign the trail where no platform runs; gives the public keys.

    Raises as `Operations.rotate_key`, AlreadyRunning, BackupRefused, RecordUnusable.
    """
    governance = settings.governance
    with _record_alone(settings, "audit rotate-key") as record:
        secrets = Secrets(governance.keys_dir)
        with record.read() as connection:
            key = signing_key(connection, secrets, governance.trail_origin)
        checkpoints = Checkpoints(
            record,
            key,
            governance.trail_origin,
            governance.anchor_dirs,
            last_signed=LastSigned(governance.keys_dir),
        )
        return told(rotate(record, checkpoints, secrets, OWNER))


def told(rotated: Rotated) -> dict[str, Any]:
    """A change of the key as the command line and the interface show it."""
    return {"old": str(rotated.old), "new": str(rotated.new), "resumed": rotated.resumed}


def note_rebuild(record: Record, actor: Actor, passages: int) -> None:
    """Record that the index was written again."""
    with record.write() as connection:
        record.trail.append(
            connection, Event(Action.INDEX_REBUILT, actor, facts={"passages": passages})
        )


def note(settings: Settings, event: Event) -> None:
    """Write one event of the command line into the trail."""
    record = open_record(settings.governance)
    try:
        with record.write() as connection:
            record.trail.append(connection, event)
    finally:
        record.close()


@contextmanager
def _record_alone(settings: Settings, purpose: str) -> Iterator[Record]:
    """The record of a directory that nobody works on. Raises AlreadyRunning, BackupRefused."""
    governance = settings.governance
    if governance.database_url is None and not (governance.data_dir / "record.db").is_file():
        raise BackupRefused(
            f"There is no record in {governance.data_dir}.",
            "Name the data directory with --data.",
        )
    with DataLock(settings.run_dir).take(purpose):
        record = open_record(governance)
        try:
            yield record
        finally:
            record.close()
