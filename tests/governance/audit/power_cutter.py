"""A process of its own: records acts on a disk that loses power at chosen moments.

Arguments: the data directory, a folder for the images, a seed, how many cuts, and `FULL` or another
value of SQLite's `synchronous`. For each cut it leaves the image of the disk that a restart would
find, and prints how many events had been acknowledged by then; last, the leaf hashes of all events
that it wrote.

The whole record runs unchanged (engine, migrations, statements of `AuditLog`), but its SQLite is
that of `apsw`, because only there a file system of ours can stand below: the product's own driver
(`sqlcipher3`) lets none be put in. So this shows that our statements and pragmas ask for durability
at the right moments, with an SQLite that is the same but for its build; every image is then
recovered by the product's driver.

The disk: a file's durable content changes at xSync alone. At a cut every 512-byte sector written
since is kept or lost by chance, each for itself; so is a truncation, a file that was never synced,
and a removal. Sectors are whole, as SQLite assumes of a disk (powersafe overwrite). The shared
memory of readers is lost. Not simulated: a disk that lies about having synced, and PostgreSQL.
"""

import random
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from uuid import uuid4

import apsw

SECTOR = 512
VFS = "power"
# So many writes and syncs lie between two cuts at most; SQLite folds its log in after about 2000.
OPERATIONS = 1500
KEPT = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL


class Content:
    """One file: as programs see it, and as the disk has it."""

    def __init__(self, data: bytes = b"", *, there: bool = False) -> None:
        self.live, self.durable = bytearray(data), bytearray(data)
        self.dirty: set[int] = set()
        self.there = there

    def write(self, data: bytes, offset: int) -> None:
        grow(self.live, offset)
        self.live[offset : offset + len(data)] = data
        self.dirty |= set(range(offset // SECTOR, (offset + len(data) - 1) // SECTOR + 1))

    def truncate(self, size: int) -> None:
        del self.live[size:]
        self.dirty = {sector for sector in self.dirty if sector * SECTOR < size}

    def sync(self) -> None:
        del self.durable[len(self.live) :]
        self.put(self.durable, self.dirty)
        self.dirty, self.there = set(), True

    def after_cut(self, chance: random.Random) -> bytes | None:
        """What is left of it; None: nothing."""
        if not self.there and chance.random() < 0.5:
            return None
        left = bytearray(self.durable)
        if chance.random() < 0.5:
            del left[len(self.live) :]
        self.put(left, {sector for sector in sorted(self.dirty) if chance.random() < 0.5})
        return bytes(left)

    def put(self, into: bytearray, sectors: set[int]) -> None:
        for sector in sorted(sectors):
            start = sector * SECTOR
            grow(into, start)
            into[start : start + SECTOR] = self.live[start : start + SECTOR]


def grow(data: bytearray, size: int) -> None:
    data.extend(bytes(max(0, size - len(data))))


class Disk(apsw.VFS):
    """All files of a record; counts what is written and synced, and loses power at some counts."""

    def __init__(self, chance: random.Random, images: Path) -> None:
        super().__init__(VFS, "unix", maxpathname=0)
        self.files: dict[Path, Content] = {}
        self.removed: dict[Path, Content] = {}
        self.cuts: list[int] = []
        self.acknowledged = 0
        self._chance, self._images, self._done = chance, images, 0

    def xOpen(self, name: apsw.URIFilename | str, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None or not flags[0] & KEPT:
            return apsw.VFSFile("unix", name, flags)
        # The record itself comes with options, its logs by name alone.
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        if path not in self.files:
            there = path.exists()
            self.files[path] = Content(path.read_bytes() if there else b"", there=there)
            self.removed.pop(path, None)
        return File(self, self.files[path], name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        content = self.files.pop(Path(name), None)
        if content is not None and content.there and not syncdir:
            self.removed[Path(name)] = content
        super().xDelete(name, syncdir)

    def count(self) -> None:
        """One more write or sync; cut the power where that is due."""
        if not self.cuts:
            return
        self.cuts[0] -= 1
        if self.cuts[0] == 0:
            self.cuts.pop(0)
            self._cut()

    def _cut(self) -> None:
        image = self._images / str(self._done)
        image.mkdir(parents=True)
        for path, content in (self.removed | self.files).items():
            kept = path in self.files or self._chance.random() < 0.5
            left = content.after_cut(self._chance) if kept else None
            if left is not None:
                (image / path.name).write_bytes(left)
        self._done += 1
        sys.stdout.write(f"{self.acknowledged}\n")


class File(apsw.VFSFile):
    """An open file; its bytes lie in the real one too, for reading."""

    def __init__(
        self, disk: Disk, content: Content, name: apsw.URIFilename, flags: list[int]
    ) -> None:
        super().__init__("unix", name, flags)
        self._disk, self._content = disk, content

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._content.write(bytes(data), offset)
        self._disk.count()

    def xTruncate(self, size: int) -> None:  # noqa: N802
        super().xTruncate(size)
        self._content.truncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        # Half of the cuts that fall on a sync come before it, half behind.
        self._disk.count()
        if not self._content.there:
            # With a new log SQLite syncs the folder (os_unix.c, UNIXFILE_DIRSYNC), so what was
            # removed from it stays removed.
            self._disk.removed.clear()
        self._content.sync()
        self._disk.count()


class Cursor:
    """As much of DB-API's cursor as SQLAlchemy uses; rows are fetched at once."""

    arraysize, lastrowid = 1, None

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.description, self.rowcount, self._rows = None, -1, iter(())

    def execute(self, sql: str, parameters: tuple = ()) -> "Cursor":
        cursor = self._connection.cursor()
        cursor.exec_trace = self._describe
        before = self._connection.total_changes()
        try:
            rows = cursor.execute(sql, tuple(parameters)).fetchall()
        except apsw.Error as error:
            kind = IntegrityError if isinstance(error, apsw.ConstraintError) else OperationalError
            raise kind(str(error)) from error
        changed = self._connection.total_changes() != before
        self.rowcount = self._connection.changes() if changed else 0
        self._rows = iter(rows)
        return self

    def executemany(self, sql: str, many: list[tuple]) -> None:
        for parameters in many:
            self.execute(sql, parameters)

    def fetchone(self) -> tuple | None:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[tuple]:
        return [row for _, row in zip(range(size), self._rows, strict=False)]

    def fetchall(self) -> list[tuple]:
        return list(self._rows)

    def close(self) -> None:
        self._rows = iter(())

    def _describe(self, cursor: apsw.Cursor, _sql: str, _parameters: object) -> bool:
        names = [name for name, _ in cursor.get_description()]
        self.description = [(name, *[None] * 6) for name in names] or None
        return True


class Connection:
    """As much of DB-API's connection as SQLAlchemy and our engine use."""

    isolation_level: str | None = ""

    def __init__(self, path: str, **_options: object) -> None:
        self._connection = apsw.Connection(path, vfs=VFS)
        self._connection.set_busy_timeout(5000)

    def cursor(self) -> Cursor:
        return Cursor(self._connection)

    def execute(self, sql: str) -> Cursor:
        return self.cursor().execute(sql)

    def commit(self) -> None:
        if self._connection.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def create_function(self, name: str, count: int, act: object, **_options: object) -> None:
        self._connection.create_scalar_function(name, act, count)

    def close(self) -> None:
        self._connection.close()


class Error(Exception):
    """Stands for DB-API's errors."""


class OperationalError(Error):
    pass


class IntegrityError(Error):
    pass


def driver() -> ModuleType:
    """A module like sqlite3, over apsw."""
    version = apsw.sqlite_lib_version()
    made = ModuleType("sqlcipher3.dbapi2")
    errors = dict.fromkeys(
        ("InterfaceError", "DataError", "InternalError", "ProgrammingError", "NotSupportedError"),
        type("OtherError", (Error,), {}),
    )
    made.__dict__.update(
        errors,
        connect=Connection,
        paramstyle="qmark",
        sqlite_version=version,
        sqlite_version_info=tuple(map(int, version.split("."))),
        Error=Error,
        DatabaseError=Error,
        OperationalError=OperationalError,
        IntegrityError=IntegrityError,
        Binary=bytes,
        PARSE_COLNAMES=0,
        PARSE_DECLTYPES=0,
    )
    return made


def main(folder: Path, images: Path, seed: int, cuts: int, synchronous: str) -> None:
    """Record acts until the power was cut so often."""
    sys.modules["sqlcipher3.dbapi2"] = driver()
    sys.modules["sqlcipher3"] = SimpleNamespace(dbapi2=sys.modules["sqlcipher3.dbapi2"])
    from sqlalchemy import event as on
    from sqlalchemy import select

    from governance.audit.testing import act
    from governance.config import GovernanceSettings
    from governance.record.database import open_record
    from governance.record.trail_tables import audit_leaves

    chance = random.Random(seed)
    disk = Disk(chance, images)
    record = open_record(GovernanceSettings(data_dir=folder))
    assert record.engine.dialect.dbapi.connect is Connection

    @on.listens_for(record.engine, "engine_connect")
    def _set(connection) -> None:
        connection.connection.cursor().execute(f"PRAGMA synchronous={synchronous}")

    with record.read() as connection:
        disk.acknowledged = record.trail.size(connection)
    disk.cuts = [chance.randrange(1, OPERATIONS) for _ in range(cuts)]
    while disk.cuts:
        disk.acknowledged = act(record, str(uuid4())) + 1
    with record.read() as connection:
        for leaf in connection.execute(select(audit_leaves.c.leaf_hash)).scalars():
            sys.stdout.write(f"{leaf.hex()}\n")
    record.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
