"""What was loaded, and every answer, is the same after a backup and a restore."""

import asyncio
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from governance.audit.checkpoint import Checkpoints
from governance.erasing import Erasing
from governance.events import SYSTEM, Action
from governance.jobs import JobStore
from governance.loading import LoadingStore
from governance.originals import original_path
from governance.policies import PolicyStore
from governance.record.database import Record, open_record
from governance.secrets import Secrets
from ingest.testing import load_in_force
from ingest.workflow import Loader
from lamplight.copies import digest_of
from lamplight.operations import OWNER, Operations, back_up_alone, rebuild_alone
from lamplight.restore import restore
from lamplight.settings import Settings
from lamplight.testing_backup import actions, back_up, names
from rag.embed import Embedder
from rag.index import cosine, open_index
from rag.pipelines import Answered, Assistant
from rag.testing import word_vector

TOPICS = ("hands", "vials", "gloves", "waste", "oxygen", "visitors", "falls", "restraints")
RULES = ("Check", "Record", "Clean", "Report", "Store", "Label")


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
        key = Secrets(settings.governance.keys_dir).trail_key()
        checkpoints = Checkpoints(self.record, key, settings.governance.trail_origin)
        self.operations = Operations(self.record, self.loader, settings, checkpoints)

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
        load_in_force(self.loader, name, content, known)

    def wait(self) -> None:
        done = threading.Event()
        while self.jobs.open_jobs():
            done.wait(0.02)

    def questions(self) -> list[str]:
        found = [self.store.to_index(one.version_id) for one in self.store.to_be_indexed()]
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
        Erasing(record, settings.governance).begin(OWNER, document.document_id, 0)
    record.close()
    return len(documents)


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
