"""For tests alone: a signed trail to falsify, and a process that writes one until it is killed.

The process does an act and records it, over and over, and says each number once it is on the disk.
"""

import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, func, select, text

from governance.audit.anchors import Anchor
from governance.audit.checkpoint import Checkpoints
from governance.audit.log import AuditLog
from governance.audit.note import verifier_key
from governance.audit.verdict import Verdict
from governance.audit.verify import verify
from governance.config import GovernanceSettings
from governance.events import SYSTEM, Action, Actor, Event
from governance.record.database import Record, open_record
from governance.record.tables import departments

ACKNOWLEDGED_MAX = 60
ORIGIN = "hospital.example/trail"
ANNA = Actor("https://idp.example", "anna", "oidc", "a" * 36)


class Ticking:
    """A clock that goes on by a second each time it is read."""

    def __init__(self, start: datetime = datetime(2026, 5, 12, 8, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def event(number: int, action: Action = Action.DOCUMENT_READ) -> Event:
    """An ordinary event."""
    return Event(action, ANNA, "ward", "document", f"document-{number}", f"sha256:{number:064x}")


@dataclass
class Trail:
    """A record whose trail is signed, and its only anchor."""

    record: Record
    key: Ed25519PrivateKey
    folder: Path
    checkpoints: Checkpoints

    def append(self, count: int = 1) -> None:
        """Record so many events in one transaction."""
        with self.record.write() as connection:
            for number in range(count):
                self.record.trail.append(connection, event(number))

    def verify(self, *, anchored: bool = True, key: Ed25519PrivateKey | None = None) -> Verdict:
        """Check it; key: whom to trust in the place of the true key."""
        trusted = Checkpoints(self.record, key or self.key, ORIGIN).verifier_key
        anchors = [Anchor(self.folder)] if anchored else []
        with self.record.read() as connection:
            return verify(connection, trusted, anchors=anchors)


def trail_of(record: Record, key: Ed25519PrivateKey, folder: Path) -> Trail:
    """The trail of a record with a clock of its own, copied to one anchor."""
    clock = Ticking()
    record.trail = AuditLog(clock)
    folder.mkdir(exist_ok=True)
    return Trail(record, key, folder, Checkpoints(record, key, ORIGIN, [folder], clock))


def disarm(connection: Connection) -> None:
    """Take the triggers away, as whoever owns the database can."""
    sqlite = connection.dialect.name == "sqlite"
    for table in ("audit_leaves", "audit_nodes", "audit_checkpoints"):
        for act in ("update", "delete"):
            where = "" if sqlite else f" ON {table}"
            connection.execute(text(f"DROP TRIGGER {table}_no_{act}{where}"))


@contextmanager
def no_room(limit_bytes: int = 4096) -> Iterator[None]:
    """No file of this process can grow past the limit, as on a full disk, for the block's length.

    The system itself refuses the write (EFBIG, as ENOSPC would be); Python ignores SIGXFSZ.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@dataclass(frozen=True, slots=True)
class Survived:
    """What was left after so many kills; lost, orphans and gaps must be 0."""

    kills: int
    acknowledged: int
    events: int
    lost: int
    acts_without_event: int
    events_without_act: int
    intact: bool


def kills(count: int, folder: Path, seed: int = 0) -> Survived:
    """Kill a writer `count` times at random moments; all the writers use one record."""
    chance = random.Random(seed)  # noqa: S311
    open_record(GovernanceSettings(data_dir=folder)).close()
    acknowledged = lost = 0
    for _ in range(count):
        last = _kill_one(folder, chance.randrange(1, ACKNOWLEDGED_MAX))
        size = survived(folder).events
        acknowledged, lost = last + 1, lost + max(0, last + 1 - size)
    left = survived(folder)
    return Survived(
        count,
        acknowledged,
        left.events,
        lost,
        left.acts_without_event,
        left.events_without_act,
        left.intact,
    )


def write_for_ever(folder: Path) -> None:
    """Do acts and record them until killed; each number is said after its commit."""
    record = open_record(GovernanceSettings(data_dir=folder))
    while True:
        os.write(1, f"{act(record, str(uuid4()))}\n".encode())


def act(record: Record, made: str) -> int:
    """Do one act under this name and record it; returns the number of its event."""
    with record.write() as connection:
        connection.execute(
            departments.insert().values(id=made, name=made, created_at=datetime.now(UTC))
        )
        event = Event(Action.DEPARTMENT_CREATED, SYSTEM, made, "department", made)
        return record.trail.append(connection, event)


def _kill_one(folder: Path, after: int) -> int:
    """Kill a writer once it has said so many numbers; the last that it said."""
    with subprocess.Popen(
        [sys.executable, "-m", "governance.audit.testing", str(folder)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        heard = [writer.stdout.readline() for _ in range(after)]
        writer.send_signal(signal.SIGKILL)
        heard += writer.stdout.read().splitlines(keepends=True)
    return int([line for line in heard if line.endswith(b"\n")][-1])


def survived(folder: Path) -> Survived:
    """What is left in a record: events, acts, and whether all hashes fit."""
    record = open_record(GovernanceSettings(data_dir=folder))
    with record.read() as connection:
        # Nothing was signed, so any key does: numbers, hashes and columns are what counts.
        verdict = verify(connection, verifier_key("killed", Ed25519PrivateKey.generate()))
        acts = connection.execute(select(func.count()).select_from(departments)).scalar_one()
    record.close()
    events = verdict.size
    missing = max(0, acts - events), max(0, events - acts)
    return Survived(0, 0, events, 0, *missing, not verdict.findings)


if __name__ == "__main__":
    write_for_ever(Path(sys.argv[1]))
