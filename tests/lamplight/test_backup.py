"""A backup of a working platform brings everything back, and a damaged one brings nothing."""

import asyncio
import json
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from governance.audit.checkpoint import Checkpoints
from governance.errors import BackupRefused
from governance.events import SYSTEM, Action
from governance.jobs import JobStore
from governance.loading import LoadingStore
from governance.originals import original_path
from governance.policies import PolicyStore
from governance.record.database import Record, open_record
from governance.record.trail_tables import audit_leaves
from governance.secrets import Secrets
from ingest.workflow import Loader
from lamplight.backup import make_backup
from lamplight.copies import digest_of
from lamplight.errors import AlreadyRunning
from lamplight.lock import DataLock
from lamplight.manifest import Manifest, parse_manifest
from lamplight.operations import OWNER, Operations, back_up_alone, rebuild_alone
from lamplight.restore import restore
from lamplight.settings import Settings, load_settings
from rag.embed import Embedder
from rag.index import cosine, open_index
from rag.pipelines import Answered, Assistant
from rag.testing import DIMENSIONS, Script, scripted_runtime, word_vector

TOPICS = ("hands", "vials", "gloves", "waste", "oxygen", "visitors", "falls", "restraints")
RULES = ("Check", "Record", "Clean", "Report", "Store", "Label")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def policy(topic: str) -> bytes:
    """A policy with a section for each rule, no two of one length: equal scores have no order."""
    first = TOPICS.index(topic) * len(RULES) if topic in TOPICS else 0
    parts = [f"# Policy on {topic}\n"]
    for number, rule in enumerate(RULES, first):
        more = f"{topic}{number} " * (10 + number)
        parts.append(f"## {rule}\n\n{rule} the {topic} {number + 2} times in each shift. {more}\n")
    return "\n".join(parts).encode()


def questions(vectors: Sequence[Sequence[float]]) -> list[str]:
    """A hundred questions; what is equally near to one of them has no order to be compared."""
    made = (
        f"How often must {who} {rule.lower()} the {topic}{end}?"
        for who in ("I", "nurses", "visiting staff")
        for end in ("", " during a shift", " after an accident")
        for topic in TOPICS
        for rule in RULES
    )
    return [question for question in made if not tied(word_vector(question), vectors)][:100]


def tied(question: Sequence[float], vectors: Sequence[Sequence[float]]) -> bool:
    near = sorted(value for v in vectors if (value := cosine(question, v)) > 0)
    return any(later - earlier < 1e-6 for earlier, later in pairwise(near))


class Parts:
    """The parts of a platform that a backup touches, over one data directory."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.record = open_record(settings.governance)
        self.index = open_index(settings.rag)
        self.embedder = Embedder(settings.rag)
        self.policies = PolicyStore(self.record, settings.governance)
        self.jobs = JobStore(self.record)
        self.store = LoadingStore(self.record, settings.governance)
        self.loader = Loader(
            self.record,
            self.index,
            self.embedder,
            settings.rag.embed_model,
            settings.governance,
            settings.ingest,
        )
        self.operations = Operations(self.record, self.loader, settings)

    def __enter__(self) -> "Parts":
        self.loader.launch()
        return self

    def __exit__(self, *_error: object) -> None:
        self.loader.close()
        self.embedder.close()
        self.index.close()
        self.record.close()

    def load(self, name: str, content: bytes, department: str) -> None:
        known = self.policies.create_department(SYSTEM, department)
        self.loader.submit(SYSTEM, name, content, known)

    def wait(self) -> None:
        done = threading.Event()
        while self.jobs.open_jobs():
            done.wait(0.02)

    def questions(self) -> list[str]:
        found = [self.store.to_index(version) for version in self.store.effective_versions()]
        return questions([passage.vector for version in found for passage in version])

    def answers(self, asked: Sequence[str]) -> list[Any]:
        return asyncio.run(self._answers(asked))

    async def _answers(self, asked: Sequence[str]) -> list[Any]:
        find = self.policies.passages_in_force
        embedder = Embedder(self.settings.rag)
        assistant = Assistant(self.settings.rag, self.index, embedder, find)
        found = []
        for question in asked:
            async for event in assistant.ask(question, "demo"):
                if isinstance(event, Answered):
                    answer = event.answer
                    found.append((answer.status, answer.answer, answer.citations, answer.passages))
        await assistant.aclose()
        embedder.close()
        return found


@pytest.fixture
def script() -> Script:
    return Script(pieces=("Check the hands 2 times in each shift. [1]",))


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    with scripted_runtime(script) as url:
        yield url


def settings_of(data_dir: Path, url: str = "http://127.0.0.1:1/v1") -> Settings:
    settings = load_settings(data_dir, environment={})
    rag = replace(settings.rag, embed_url=url, chat_url=url, embed_dimensions=DIMENSIONS)
    return replace(settings, rag=replace(rag, min_evidence=0.0))


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    settings = settings_of(tmp_path / "data", url)
    keys = settings.governance.keys_dir
    keys.mkdir(parents=True, mode=0o700)
    (keys / "vault.key").write_bytes(b"k" * 32)
    return settings


@pytest.fixture
def record(settings: Settings) -> Iterator[Record]:
    record = open_record(settings.governance)
    yield record
    record.close()


def back_up(record: Record, settings: Settings, place: Path, **options: bool) -> Manifest:
    options.setdefault("with_keys", True)
    return make_backup(record, settings, place, OWNER, made_at=NOW, **options)


def actions(record: Record) -> list[str]:
    with record.read() as connection:
        query = select(audit_leaves.c.action).order_by(audit_leaves.c.seq)
        return list(connection.execute(query).scalars())


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_flt_17_a_hundred_answers_are_the_same_after_a_restore(
    tmp_path: Path, settings: Settings
) -> None:
    """The backup is made while another department loads files; then the directory is lost."""
    place = tmp_path / "backup"
    with Parts(settings) as parts:
        for topic in TOPICS:
            parts.load(f"{topic}.md", policy(topic), "demo")
        parts.wait()
        asked = parts.questions()
        before = parts.answers(asked)
        with loading(parts, "other"):
            made = parts.operations.back_up(OWNER, place, with_keys=True)
    assert len({passages for *_, passages in before}) == len(before) == 100
    assert made["not_copied"] == {}
    shutil.rmtree(settings.data_dir)

    restored = restore(place, settings, OWNER)
    assert restored.manifest.trail_size == made["trail"]["size"]
    assert remove_whole(settings, "other") >= 5
    with Parts(settings) as parts:
        assert told(parts.answers(asked)) == told(before)
        assert Action.BACKUP_RESTORED in actions(parts.record)


def told(answers: list[Any]) -> list[Any]:
    """What a reader is told. The engine gives passages of one rank in no fixed order, and their
    places are in the markers: the same words from the same quotes are the same answer.
    """
    return [
        (status, re.sub(r" \[\d+\]", "", text), {(one.passage_id, one.quote) for one in citations})
        for status, text, citations, _ in answers
    ]


@contextmanager
def loading(parts: Parts, department: str) -> Iterator[None]:
    """Hand files in, one after the other, for the length of the block."""
    stop, under_way = threading.Event(), threading.Event()

    def keep_loading() -> None:
        for number in count():
            parts.load(f"{number}.md", policy(f"other{number}"), department)
            if number == 5:
                under_way.set()
            if stop.wait(0.01):
                return

    writer = threading.Thread(target=keep_loading)
    writer.start()
    under_way.wait()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def remove_whole(settings: Settings, department: str) -> int:
    """Remove a department's documents; each must have come back with its original."""
    record = open_record(settings.governance)
    documents = PolicyStore(record, settings.governance).documents(department)
    for document in documents:
        entry = digest_of(original_path(settings.governance.originals_dir, document.digest))
        assert entry is not None
        assert entry.digest == document.digest
        LoadingStore(record, settings.governance).delete(OWNER, document.document_id)
    record.close()
    return len(documents)


def test_a_backup_is_recorded_with_the_digest_of_its_manifest(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """Whoever holds the trail can tell a forged backup from ours."""
    back_up(record, settings, tmp_path / "backup")
    assert actions(record) == [Action.BACKUP_MADE]
    with record.read() as connection:
        body = json.loads(connection.execute(select(audit_leaves.c.body)).scalar_one())
    manifest = digest_of(tmp_path / "backup" / "manifest.json")
    assert manifest is not None
    assert body["object"]["digest"] == manifest.digest


def test_the_second_backup_into_a_folder_takes_the_place_of_the_first(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """At each moment the manifest names files that are there; nothing older stays."""
    place = tmp_path / "backup"
    first = back_up(record, settings, place)
    second = make_backup(
        record, settings, place, OWNER, with_keys=False, made_at=NOW.replace(hour=13)
    )
    assert second.record != first.record
    assert names(place) == {"manifest.json", *second.files}
    assert not second.has_keys
    assert parse_manifest((place / "manifest.json").read_bytes()) == second


def test_a_damaged_original_is_named_and_the_good_copy_stays(
    record: Record, settings: Settings, tmp_path: Path, url: str
) -> None:
    """HIP-6: a changed bit is found before the file is kept; an earlier good copy is not lost."""
    with Parts(settings) as parts:
        parts.load("hands.md", policy("hands"), "demo")
        parts.wait()
        digest = parts.policies.documents()[0].digest
    source = original_path(settings.governance.originals_dir, digest)
    content = source.read_bytes()
    source.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert set(back_up(record, settings, tmp_path / "late").not_copied) == {digest}
    assert names(tmp_path / "late" / "originals") == set()
    source.write_bytes(content)
    back_up(record, settings, tmp_path / "early")
    source.unlink()
    assert back_up(record, settings, tmp_path / "early").not_copied == {}


@pytest.mark.parametrize("inside", [True, False])
def test_a_backup_and_its_data_lie_apart(record: Record, settings: Settings, inside: bool) -> None:
    """A backup inside the data directory would be lost with it."""
    place = settings.data_dir / "backup" if inside else settings.data_dir.parent
    with pytest.raises(BackupRefused, match="inside one another"):
        back_up(record, settings, place)
    assert actions(record) == []


def test_a_folder_with_other_things_is_left_alone(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """The refusal names what is there, and nothing is written."""
    place = tmp_path / "photos"
    place.mkdir()
    (place / "cat.jpg").touch()
    with pytest.raises(BackupRefused, match=r"cat\.jpg"):
        back_up(record, settings, place)
    assert names(place) == {"cat.jpg"}


def test_one_changed_bit_anywhere_restores_nothing(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """HIP-6: each file of the backup in turn, the record among them."""
    place = tmp_path / "backup"
    made = back_up(record, settings, place)
    for number, name in enumerate(made.files):
        content = (place / name).read_bytes()
        (place / name).write_bytes(bytes([content[0] ^ 1]) + content[1:])
        target = settings_of(tmp_path / f"new{number}")
        with pytest.raises(BackupRefused, match=name):
            restore(place, target, OWNER)
        assert names(target.data_dir) <= {"run/lock"}
        (place / name).write_bytes(content)


def test_a_restore_needs_an_empty_directory(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """What is there is worth more than what would come."""
    back_up(record, settings, tmp_path / "backup")
    with pytest.raises(BackupRefused, match="not empty"):
        restore(tmp_path / "backup", settings, OWNER)


def test_a_restore_refuses_a_directory_at_work(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """The lock says who works there."""
    back_up(record, settings, tmp_path / "backup")
    target = settings_of(tmp_path / "new")
    with (
        DataLock(target.run_dir).take("up"),
        pytest.raises(AlreadyRunning, match="lamplight up"),
    ):
        restore(tmp_path / "backup", target, OWNER)


def test_a_folder_without_a_manifest_is_no_backup(settings: Settings, tmp_path: Path) -> None:
    """An attempt that was cut short has none."""
    with pytest.raises(BackupRefused, match="holds no backup"):
        restore(tmp_path, settings_of(tmp_path.parent / "elsewhere"), OWNER)


def test_the_keys_come_back_for_their_owner_alone(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """Mode 0600 in a folder of mode 0700, in the backup and in the data directory."""
    place, target = tmp_path / "backup", settings_of(tmp_path / "new")
    back_up(record, settings, place)
    restore(place, target, OWNER)
    for folder in (place / "keys", target.governance.keys_dir):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "vault.key").stat().st_mode & 0o777 == 0o600
        assert (folder / "vault.key").read_bytes() == b"k" * 32


def signed(record: Record, settings: Settings, anchor: Path) -> None:
    """Sign the trail as it stands, with a copy in the anchor."""
    anchor.mkdir(exist_ok=True)
    key = Secrets(settings.governance.keys_dir).trail_key()
    Checkpoints(record, key, settings.governance.trail_origin, [anchor]).sign()


def test_what_was_recorded_after_the_backup_is_named_as_lost(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """The restored trail begins the anchored one; the gap is an event, never hidden."""
    policies, anchor = PolicyStore(record, settings.governance), tmp_path / "anchor"
    policies.create_department(OWNER, "before")
    signed(record, settings, anchor)
    back_up(record, settings, tmp_path / "backup")
    for number in range(3):
        policies.create_department(OWNER, f"after {number}")
    signed(record, settings, anchor)
    target = settings_of(tmp_path / "new")
    restored = restore(tmp_path / "backup", target, OWNER, [anchor])
    # The backup's own event came after its moment, too.
    assert (restored.manifest.trail_size, restored.lost_events) == (1, 4)
    again = open_record(target.governance)
    with again.read() as connection:
        last = select(audit_leaves.c.body).order_by(audit_leaves.c.seq.desc()).limit(1)
        facts = json.loads(connection.execute(last).scalar_one())["facts"]
    assert (facts["trail_size"], facts["anchored_size"], facts["lost_events"]) == (1, 5, 4)
    again.close()


def test_a_trail_signed_under_its_own_name_is_known_by_the_settings_in_the_backup(
    settings: Settings, tmp_path: Path
) -> None:
    """The settings file comes back too, and says under which name the trail was signed."""
    (settings.data_dir / "lamplight.toml").write_text('[governance]\ntrail_origin = "ward.test"\n')
    named = replace(settings.governance, trail_origin="ward.test")
    record = open_record(named)
    PolicyStore(record, named).create_department(OWNER, "demo")
    signed(record, replace(settings, governance=named), tmp_path / "anchor")
    back_up(record, settings, tmp_path / "backup")
    record.close()
    target = settings_of(tmp_path / "new")
    restored = restore(tmp_path / "backup", target, OWNER, [tmp_path / "anchor"])
    assert restored.anchored_size == 1
    assert load_settings(target.data_dir).governance.trail_origin == "ward.test"


def test_a_backup_of_another_trail_than_the_anchored_one_is_refused(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """Whoever rewrote the record and backed it up cannot rewrite the anchor."""
    PolicyStore(record, settings.governance).create_department(OWNER, "ours")
    signed(record, settings, tmp_path / "ours")
    back_up(record, settings, tmp_path / "backup")
    other = settings_of(tmp_path / "other")
    theirs = open_record(other.governance)
    PolicyStore(theirs, other.governance).create_department(OWNER, "theirs")
    signed(theirs, settings, tmp_path / "anchor")
    theirs.close()
    target = settings_of(tmp_path / "new")
    with pytest.raises(BackupRefused, match="not the one that was signed"):
        restore(tmp_path / "backup", target, OWNER, [tmp_path / "anchor"])
    assert names(target.data_dir) <= {"run/lock"}


def test_an_interrupted_restore_can_be_started_again(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """What it left behind is nobody's, and goes first."""
    back_up(record, settings, tmp_path / "backup")
    target = settings_of(tmp_path / "new")
    (target.data_dir / ".restoring").mkdir(parents=True)
    (target.data_dir / ".restoring" / "half").touch()
    restore(tmp_path / "backup", target, OWNER)
    assert (target.data_dir / "record.db").is_file()
    assert not (target.data_dir / ".restoring").exists()


def test_where_nothing_runs_the_command_does_it_alone(
    settings: Settings, tmp_path: Path, url: str
) -> None:
    """Neither runtime nor models are needed to back up and to rebuild the index."""
    with Parts(settings) as parts:
        parts.load("hands.md", policy("hands"), "demo")
        parts.wait()
        passages = parts.index.count()
    (settings.rag.index_dir / "edge_config.json").write_text("damaged")
    assert rebuild_alone(settings) == passages > 0
    assert back_up_alone(settings, tmp_path / "backup", with_keys=True).files
    record = open_record(settings.governance)
    assert actions(record)[-2:] == [Action.INDEX_REBUILT, Action.BACKUP_MADE]
    record.close()


def test_there_is_nothing_to_back_up_in_an_empty_directory(tmp_path: Path) -> None:
    """A wrong --data must not make a new, empty record."""
    target = settings_of(tmp_path / "typo")
    with pytest.raises(BackupRefused, match="no record"):
        back_up_alone(target, tmp_path / "backup", with_keys=True)
    assert not target.data_dir.exists()
