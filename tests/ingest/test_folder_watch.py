"""A watched folder hands in what is new and changed, and asks about what is gone."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from governance.config import GovernanceSettings
from governance.erasing import Erasing
from governance.errors import IllegalTransition, NoSpace
from governance.events import SYSTEM, Actor
from governance.handing_in import HandIns, NewFile
from governance.loading import LoadingStore
from governance.loading_rows import NewPassage
from governance.missing_files import MissingFiles
from governance.policies import Department, PolicyStore
from governance.policy_fields import PolicyFields
from governance.record.database import Record, open_record
from governance.watched_folders import WatchedFolder, WatchedFolders
from ingest.config import IngestSettings
from ingest.errors import CannotWatch
from ingest.folder_listing import FolderLimits, bytes_of, digest_of, list_folder
from ingest.folder_watch import FolderWatch, allowed_folder
from ingest.source import inspect
from ingest.workflow import Submitted

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
OWNER = Actor("local", "owner", "socket")


class Intake:
    """Takes files in as the loader does, and makes drafts of them at once."""

    def __init__(self, record: Record, settings: GovernanceSettings) -> None:
        self._hand_ins = HandIns(record)
        self._store = LoadingStore(record, settings)
        self.full = False
        self.taken: list[tuple[str, int]] = []

    def submit(
        self,
        actor: Actor,
        file_name: str,
        content: bytes,
        department: Department,
        fields: PolicyFields | None = None,
        *,
        replaces: str | None = None,
    ) -> Submitted:
        """Accept a file."""
        source = inspect(file_name, content, IngestSettings())
        if self.full:
            raise NoSpace("The disk is full.", "Free some space.")
        file = NewFile(file_name, source.digest, source.media_type, source.size_bytes)
        done = self._hand_ins.register(actor, file, department, replaces=replaces)
        if done.job_id is not None:
            passage = NewPassage(0, "", 1, 1, "text", "text")
            self._store.save_text(done.version_id, file_name, ["text"], [passage])
            self._store.finish(done.version_id, done.job_id)
            self.taken.append((file_name, done.version))
        return Submitted(done.document_id, done.version, done.job_id)


@dataclass
class Site:
    """A share, a department that watches it, and what looks."""

    share: Path
    record: Record
    folders: WatchedFolders
    missing: MissingFiles
    intake: Intake
    policies: PolicyStore
    demo: Department
    settings: IngestSettings = field(default_factory=IngestSettings)

    @property
    def folder(self) -> WatchedFolder:
        """The one folder as it stands now."""
        (folder,) = self.folders.folders([self.demo.id])
        return folder

    def look(self, times: int = 1) -> list[tuple[str, int]]:
        """Look so often; gives what was taken in: names and versions."""
        del self.intake.taken[:]
        for _ in range(times):
            watch = FolderWatch(self.folders, self.missing, self.intake, self.settings)
            watch.look_at_all(NOW)
        return list(self.intake.taken)

    def found(self) -> dict[str, str]:
        """What was found last of each file."""
        return {file.path: file.found for file in self.folders.files(self.folder.id).values()}

    def gone(self) -> list[str]:
        """The names of files whose policies wait for a decision."""
        return [Path(one.path).name for one in self.missing.open([self.demo.id])]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with nothing in it, for each test to copy."""
    settings = GovernanceSettings(tmp_path_factory.mktemp("migrated"))
    open_record(settings).close()
    return settings.data_dir / "record.db"


@pytest.fixture
def site(tmp_path: Path, migrated: Path) -> Iterator[Site]:
    settings = GovernanceSettings(tmp_path / "data")
    settings.data_dir.mkdir()
    shutil.copy(migrated, settings.data_dir / "record.db")
    share = tmp_path / "share"
    (share / "wards").mkdir(parents=True)
    for number in range(6):
        (share / "wards" / f"policy-{number}.md").write_text(f"# Policy {number}\n\nText.\n")
    record = open_record(settings)
    policies = PolicyStore(record, settings)
    demo = policies.create_department(SYSTEM, "demo")
    folders = WatchedFolders(record)
    folders.add(OWNER, demo.id, str(share))
    intake = Intake(record, settings)
    yield Site(share, record, folders, MissingFiles(record), intake, policies, demo)
    record.close()


def test_what_is_new_is_handed_in_once(site: Site) -> None:
    """Not at the first look, for it may be half written; as a draft; and never again."""
    assert site.look() == []
    assert len(site.look()) == 6
    assert site.look(3) == []
    assert set(site.found().values()) == {"new"}
    assert (site.folder.files, site.folder.problem, site.folder.looked_at) == (6, "", NOW)
    assert {one.state for one in site.policies.documents("demo", drafts=True)} == {"draft"}


def test_what_is_changed_is_the_next_version(site: Site) -> None:
    """Of the same document, as a draft beside the one that is there."""
    site.look(2)
    (site.share / "wards/policy-3.md").write_text("# Policy 3\n\nNew text.\n")
    assert site.look(2) == [("policy-3.md", 2)]
    assert site.found()["wards/policy-3.md"] == "changed"
    assert len(site.policies.documents("demo", drafts=True)) == 6 + 1


def test_what_is_moved_stays_what_it_is(site: Site) -> None:
    """Known by its bytes; nothing is handed in and nothing is missed."""
    site.look(2)
    (site.share / "wards/policy-3.md").rename(site.share / "renamed.md")
    assert site.look(3) == []
    assert (site.found()["renamed.md"], site.gone()) == ("moved", [])


def test_what_is_gone_is_asked_about_and_never_retired(site: Site) -> None:
    """Once, after two looks; the policy stays as it is until a person decides."""
    site.look(2)
    (site.share / "wards/policy-3.md").unlink()
    site.look()
    assert site.gone() == []
    site.look(3)
    assert site.gone() == ["policy-3.md"]
    assert len(site.policies.documents("demo", drafts=True)) == 6
    (waiting,) = site.missing.open([site.demo.id])
    site.missing.keep(OWNER, waiting.id)
    assert (site.look(3), site.gone()) == ([], [])


def test_what_comes_back_is_not_asked_about_any_more(site: Site) -> None:
    """It is the same document as before."""
    site.look(2)
    path = site.share / "wards/policy-3.md"
    content = path.read_text()
    path.unlink()
    site.look(2)
    assert site.gone() == ["policy-3.md"]
    path.write_text(content)
    assert (site.look(2), site.gone()) == ([], [])
    assert site.found()["wards/policy-3.md"] == "known"


def test_a_share_that_is_away_retires_nothing(site: Site) -> None:
    """Gone, or an empty place where it was mounted: it is said, and nothing else happens."""
    site.look(2)
    away = site.share.rename(site.share.with_name("away"))
    site.look(3)
    assert "cannot be read" in site.folder.problem
    assert "mounted" in site.folder.hint
    site.share.mkdir()
    site.look(3)
    assert "6 of 6 files are gone at once" in site.folder.problem
    assert (site.folder.asks, site.gone(), site.folder.files) == (True, [], 6)
    site.share.rmdir()
    away.rename(site.share)
    assert site.look(2) == []
    assert (site.folder.problem, site.folder.asks, site.gone()) == ("", False, [])


def test_files_that_were_removed_on_purpose_are_asked_about_one_by_one(site: Site) -> None:
    """Once a person has confirmed it; the confirmation is not good for the next time."""
    with pytest.raises(IllegalTransition):
        site.folders.confirm(OWNER, site.folder.id)
    site.look(2)
    for number in range(3):
        (site.share / f"wards/policy-{number}.md").unlink()
    site.look()
    assert site.folder.asks
    site.folders.confirm(OWNER, site.folder.id)
    site.look(2)
    assert site.gone() == [f"policy-{number}.md" for number in range(3)]
    assert site.folder.confirmed_by is None
    for number in range(3, 6):
        (site.share / f"wards/policy-{number}.md").unlink()
    site.look()
    assert site.folder.asks


def test_links_lead_nowhere(site: Site, tmp_path: Path) -> None:
    """Neither a linked file nor a linked folder is looked into, nor a folder that became a link."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "payroll.md").write_text("# Payroll\n\nNobody's business.\n")
    (site.share / "link.md").symlink_to(secret / "payroll.md")
    (site.share / "linked").symlink_to(secret)
    names = {name for name, _ in site.look(3)}
    assert "payroll.md" not in names
    assert "link.md" not in names
    site.share.rename(site.share.with_name("away"))
    site.share.symlink_to(secret)
    assert site.look(3) == []
    assert "leads somewhere else" in site.folder.problem


def test_a_link_put_in_between_listing_and_reading_leads_nowhere(
    site: Site, tmp_path: Path
) -> None:
    """A folder on the way that becomes a link after the listing is not followed."""
    limits = FolderLimits()
    entry = list_folder(site.share, limits).entries[0]
    digest = digest_of(site.share, entry, limits)
    assert digest is not None
    assert bytes_of(site.share, entry, digest, limits) is not None
    (site.share / "wards").rename(tmp_path / "elsewhere")
    (site.share / "wards").symlink_to(tmp_path / "elsewhere")
    assert digest_of(site.share, entry, limits) is None
    assert bytes_of(site.share, entry, digest, limits) is None


def test_what_cannot_be_read_is_said_in_plain_words(site: Site) -> None:
    """With what to do; what is no document is left alone."""
    (site.share / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    (site.share / "empty.md").write_bytes(b"   ")
    (site.share / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    site.look(2)
    first, *_ = site.folders.recent(site.folder.id, 50)
    assert (first.path, first.found) in {("empty.md", "refused"), ("old.doc", "refused")}
    assert first.problem
    assert first.hint
    assert "photo.jpg" not in site.found()
    assert site.look(3) == []


def test_a_full_disk_is_said_and_the_look_done_again(site: Site) -> None:
    """Nothing is remembered of a look that could not be finished, so that nothing is lost."""
    site.look()
    site.intake.full = True
    site.look()
    assert (site.folder.problem, site.folder.hint) == ("The disk is full.", "Free some space.")
    site.intake.full = False
    assert len(site.look(2)) == 6
    assert site.folder.problem == ""


def test_one_look_takes_in_no_more_than_it_may(site: Site) -> None:
    """The others come with the next ones, each once."""
    site.settings = IngestSettings(watch_files_per_look=4)
    assert [len(site.look()) for _ in range(4)] == [0, 4, 2, 0]


def test_a_document_that_was_removed_here_is_not_handed_in_again(site: Site) -> None:
    """Until its file changes: then it is a new one."""
    site.look(2)
    settings = GovernanceSettings(site.share.parent / "data")
    one = next(d for d in site.policies.documents("demo", drafts=True) if "3" in d.file_name)
    erasing = Erasing(site.record, settings)
    erasing.complete(erasing.begin(OWNER, one.document_id, 0), 0, OWNER)
    assert site.look(2) == []
    (site.share / "wards/policy-3.md").write_text("# Policy 3\n\nNew text.\n")
    assert site.look(2) == [("policy-3.md", 1)]


def test_two_departments_may_watch_one_folder(site: Site) -> None:
    """Each gets documents of its own."""
    other = site.policies.create_department(SYSTEM, "other")
    site.folders.add(OWNER, other.id, str(site.share))
    assert len(site.look(2)) == 12


def test_a_look_that_is_told_to_stop_leaves_the_rest(site: Site) -> None:
    """What was handed in by then is known again at the next look."""
    site.look()
    asked = iter([False] * 3)
    watch = FolderWatch(site.folders, site.missing, site.intake, site.settings)
    watch.look_at_all(NOW, lambda: next(asked, True))
    assert len(site.look(2)) == 6


def test_only_some_folders_may_be_watched(tmp_path: Path) -> None:
    """Below what is allowed, really there, and never where our own data is."""
    data, allowed = tmp_path / "data", tmp_path / "allowed"
    for folder in (data / "originals", allowed / "wards", tmp_path / "other"):
        folder.mkdir(parents=True)
    (allowed / "link").symlink_to(tmp_path / "other")
    assert allowed_folder(str(allowed / "wards"), [allowed], data) == allowed / "wards"
    assert allowed_folder(str(tmp_path / "other"), None, data) == tmp_path / "other"
    refused = {
        str(tmp_path / "other"): [allowed],
        str(allowed / ".." / "other"): [allowed],
        str(allowed / "link"): [allowed],
        str(allowed / "missing"): [allowed],
        str(allowed): [],
        "wards": None,
        str(data / "originals"): None,
        str(tmp_path): None,
    }
    for path, roots in refused.items():
        with pytest.raises(CannotWatch):
            allowed_folder(path, roots, data)
