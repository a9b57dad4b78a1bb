"""What is remembered of watched folders, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from governance.errors import NotFound
from governance.events import SYSTEM
from governance.handing_in import HandIns, NewFile
from governance.loading import LoadingStore
from governance.missing_files import MissingFiles
from governance.policies import Department, PolicyStore
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.watched_folders import LookedAt, WatchedFile, WatchedFolders

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
LONG_PATH = "/".join("ü" * 100 for _ in range(9))


@pytest.fixture
def folders(record: Record) -> WatchedFolders:
    return WatchedFolders(record)


def actions(record: Record) -> list[str]:
    with record.read() as connection:
        return list(
            connection.execute(select(audit_leaves.c.action).order_by(audit_leaves.c.seq)).scalars()
        )


def test_a_folder_is_watched_once(
    folders: WatchedFolders, demo: Department, record: Record
) -> None:
    """Named again it is the same; removed it is gone with its files, and each is an event."""
    first = folders.add(SYSTEM, demo.id, "/share")
    assert folders.add(SYSTEM, demo.id, "/share") == first
    folders.save(first.id, LookedAt(NOW), {}, {"a.md": WatchedFile("a.md", 1, 2)})
    assert folders.folder(first.id).files == 1
    folders.remove(SYSTEM, first.id)
    with pytest.raises(NotFound):
        folders.folder(first.id)
    assert (folders.folders(), folders.files(first.id)) == ((), {})
    assert actions(record)[-2:] == ["folder.watched", "folder.unwatched"]


def test_files_are_remembered_as_they_were_seen(folders: WatchedFolders, demo: Department) -> None:
    """Large sizes, fine times and long names; what differs is written, the rest stays."""
    folder = folders.add(SYSTEM, demo.id, "/share")
    big = WatchedFile(LONG_PATH, 2**40, 1_790_000_000_123_456_789, "d" * 64, True, 0, "doc", "new")
    small = WatchedFile("b.md", 1, 2)
    folders.save(folder.id, LookedAt(NOW, unread=3), {}, {LONG_PATH: big, "b.md": small})
    assert folders.files(folder.id) == {LONG_PATH: big, "b.md": small}
    changed = WatchedFile("b.md", 5, 6, missing_looks=1)
    before = folders.files(folder.id)
    folders.save(folder.id, LookedAt(NOW), before, {"b.md": changed})
    assert folders.files(folder.id) == {"b.md": changed}
    folders.save(folder.id, LookedAt(NOW, "It is away.", "Mount it.", asks=True))
    shown = folders.folder(folder.id)
    assert (shown.files, shown.problem, shown.hint, shown.asks) == (
        1,
        "It is away.",
        "Mount it.",
        True,
    )


def test_a_look_at_a_folder_that_was_removed_meanwhile_is_forgotten(
    folders: WatchedFolders, demo: Department
) -> None:
    """The last look may still be on its way."""
    folder = folders.add(SYSTEM, demo.id, "/share")
    folders.remove(SYSTEM, folder.id)
    folders.save(folder.id, LookedAt(NOW), {}, {"b.md": WatchedFile("b.md", 1, 2)})
    assert folders.files(folder.id) == {}


def test_troubles_stand_first(folders: WatchedFolders, demo: Department) -> None:
    """Then what was found last; what was only seen is not among it."""
    folder = folders.add(SYSTEM, demo.id, "/share")
    files = [
        WatchedFile("a.md", 1, 2, found="new", found_at=NOW),
        WatchedFile("b.md", 1, 2),
        WatchedFile("c.md", 1, 2, found="refused", found_at=NOW, problem="It is empty."),
    ]
    folders.save(folder.id, LookedAt(NOW), {}, {one.path: one for one in files})
    assert [one.path for one in folders.recent(folder.id, 9)] == ["c.md", "a.md"]


def test_a_missing_file_waits_until_somebody_decides(
    record: Record,
    hand_ins: HandIns,
    loading: LoadingStore,
    policies: PolicyStore,
    demo: Department,
) -> None:
    """Asked once, of its own department only, and settled by a person or by its return."""
    missing = MissingFiles(record)
    taken = hand_ins.register(SYSTEM, NewFile("a.md", "a" * 64, "text/markdown", 5), demo)
    propose = (SYSTEM, taken.document_id, demo.id, "/share/a.md")
    assert not missing.propose(*propose)  # it is being loaded, and answers nobody
    assert taken.job_id is not None
    loading.finish(taken.version_id, taken.job_id)
    assert [missing.propose(*propose) for _ in range(2)] == [True, False]
    other = policies.create_department(SYSTEM, "other")
    assert missing.open([other.id]) == ()
    (waiting,) = missing.open([demo.id])
    missing.keep(SYSTEM, waiting.id)
    assert missing.open([demo.id]) == ()
    with pytest.raises(NotFound):
        missing.keep(SYSTEM, waiting.id)
    assert missing.propose(*propose)
    missing.returned([taken.document_id])
    assert missing.open([demo.id]) == ()
    assert actions(record).count("file.missed") == 2
    assert actions(record).count("document.kept") == 1
