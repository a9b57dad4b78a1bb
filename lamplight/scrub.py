"""Reads every file of every model again, once a week, and reports those that have changed (PRV-4).

One file at each look, so that other chores do not wait for all of them. A damaged file stays, since
a person may want to see it, but is marked as written: the runtime reads such a file again before it
loads it, and refuses it by its digest.
"""

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from governance.record.database import Record
from lamplight.model_events import damaged
from runtime.store import Store, sha256_of

EVERY = timedelta(days=7)
LOOK_EVERY = timedelta(seconds=5)
STAMP = "scrubbed"

log = structlog.get_logger(__name__)


class Scrub:
    """The weekly reading of one store. folder: where it is noted when it was done last."""

    def __init__(self, store: Store, record: Record, folder: Path) -> None:
        self._store = store
        self._record = record
        self._stamp = folder / STAMP
        self._waiting: list[str] = []

    def look(self, now: datetime) -> None:
        """Read one file if a reading is due or under way; a restart begins it again."""
        if not self._waiting and self._is_due(now):
            self._waiting = self._digests()
            log.info("models are read again", files=len(self._waiting))
        if self._waiting:
            self.check(self._waiting[-1])
            self._waiting.pop()  # not before: where it cannot be recorded, it is read again
            if not self._waiting:
                self._stamp.write_text(now.isoformat())

    def check(self, digest: str) -> bool:
        """Read one file now; whether it is whole. Raises TrailBlocked."""
        path = self._store.blob_path(digest)
        try:
            if sha256_of(path) == digest:
                return True
        except FileNotFoundError:
            return True  # removed meanwhile; a model that misses it says so itself
        except OSError:
            log.exception("a file of a model cannot be read", digest=digest)
        self._report(digest)
        with contextlib.suppress(OSError):
            path.touch()
        return False

    def _is_due(self, now: datetime) -> bool:
        try:
            return now - datetime.fromisoformat(self._stamp.read_text()) >= EVERY
        except FileNotFoundError:
            # What was installed before the first start was checked as it came.
            self._stamp.write_text(now.astimezone(UTC).isoformat())
            return False
        except ValueError:
            return True

    def _digests(self) -> list[str]:
        manifests = [model.manifest for model in self._store.models()]
        return sorted({x.digest for one in manifests for x in (one.config, *one.layers)})

    def _report(self, digest: str) -> None:
        for model in self._store.models():
            if digest in {x.digest for x in (model.manifest.config, *model.manifest.layers)}:
                log.error("a file of a model is damaged", model=str(model.name), digest=digest)
                with self._record.write() as connection:
                    self._record.trail.append(connection, damaged(model, digest))
