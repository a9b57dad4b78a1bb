"""Two processes on one PostgreSQL change the same document: one after the other, and it agrees."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from qdrant_client import QdrantClient
from sqlalchemy import text

from governance.config import GovernanceSettings
from governance.document_locks import DocumentLocks
from governance.errors import DocumentBusy, GovernanceError
from governance.events import SYSTEM, Actor
from governance.handing_in import HandIns, NewFile
from governance.index_debts import IndexDebts
from governance.loading import LoadingStore
from governance.loading_rows import NewPassage
from governance.policies import Department, PolicyStore
from governance.record.database import Record, open_record
from governance.testing import postgresql_cluster
from governance.version_life import VersionLife
from governance.versions import Act
from ingest.index import live_span
from ingest.publishing import Publisher
from rag.config import RagSettings
from rag.index.server import ServerIndex

OWNER = Actor("local", "owner", "socket")
NEAR = [1.0, 0.0, 0.0]


@dataclass
class Process:
    """What one process has of its own: connections and locks."""

    record: Record
    store: LoadingStore
    publisher: Publisher
    demo: Department

    def hand_in(self, document_id: str | None = None) -> tuple[str, str]:
        """A new draft of one passage: its version and its document."""
        words = uuid4().hex
        file = NewFile(f"{words}.md", words * 2, "text/markdown", 9)
        taken = HandIns(self.record).register(OWNER, file, self.demo, replaces=document_id)
        assert taken.job_id is not None
        passages = [NewPassage(0, "", 1, 1, words, words)]
        self.store.save_text(taken.version_id, words, [words], passages)
        ((passage_id, _),) = self.store.without_vector(taken.version_id, 9)
        self.store.save_vectors({passage_id: NEAR}, "test")
        self.publisher.finish(taken.version_id, taken.job_id)
        return taken.version_id, taken.document_id

    def act(self, act: Act, version_id: str) -> None:
        """Do it, or be refused in words: the other was faster."""
        with suppress(GovernanceError):
            self.publisher.do(act, OWNER, version_id, "a test")

    def delete(self, document_id: str) -> None:
        """Remove it, unless the other has."""
        with suppress(GovernanceError):
            self.publisher.delete(OWNER, document_id)


@pytest.fixture(scope="module")
def governance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GovernanceSettings]:
    with postgresql_cluster() as cluster:
        yield GovernanceSettings(tmp_path_factory.mktemp("data"), cluster.create("record"))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ServerIndex]:
    made = ServerIndex(QdrantClient(":memory:"), RagSettings(tmp_path, embed_dimensions=3))
    yield made
    made.close()


@pytest.fixture
def processes(governance: GovernanceSettings, index: ServerIndex) -> Iterator[list[Process]]:
    records = [open_record(governance) for _ in range(2)]
    demo = PolicyStore(records[0], governance).create_department(SYSTEM, uuid4().hex)
    made = []
    for record in records:
        store = LoadingStore(record, governance)
        life = VersionLife(record, governance)
        made.append(Process(record, store, Publisher(record, index, store, life, governance), demo))
    yield made
    for record in records:
        record.close()


def agrees(index: ServerIndex, process: Process, document_id: str) -> bool:
    """Whether the index holds of a document what the record says, each with its time."""
    wanted = process.store.to_be_indexed(document_id)
    points, _ = index._client.scroll(index._collection, limit=99)
    held = {
        str((one.payload or {})["version"]): (one.payload or {})["live_from"]
        for one in points
        if (one.payload or {})["document"] == document_id
    }
    return held == {one.version_id: live_span(one.span).live_from for one in wanted}


ROUNDS: dict[str, Callable[[Process, Process, str, str, str], list[Callable[[], None]]]] = {
    "a new version goes into force while the old one is retired": lambda a, b, old, new, _: [
        lambda: a.act(Act.OVERRIDE, new),
        lambda: b.act(Act.RETIRE, old),
    ],
    "a version goes into force while its document is deleted": lambda a, b, _, new, document: [
        lambda: a.act(Act.OVERRIDE, new),
        lambda: b.delete(document),
    ],
    "both put the same version in force": lambda a, b, _, new, __: [
        lambda: a.act(Act.OVERRIDE, new),
        lambda: b.act(Act.OVERRIDE, new),
    ],
    "both delete the same document": lambda a, b, _, __, document: [
        lambda: a.delete(document),
        lambda: b.delete(document),
    ],
    "both pay the same debt": lambda a, b, _, __, document: [
        lambda: IndexDebts(a.record).note(document),
        a.publisher.pay_debts,
        b.publisher.pay_debts,
    ],
}


@pytest.mark.parametrize("name", ROUNDS)
def test_two_at_once_end_in_one_state(
    processes: list[Process], index: ServerIndex, name: str
) -> None:
    """Whoever comes second finds what the first has done, and record and index agree."""
    first, second = processes
    with ThreadPoolExecutor(3) as threads:
        for _ in range(5):
            old, document_id = first.hand_in()
            first.act(Act.OVERRIDE, old)
            new, _same = first.hand_in(document_id)
            acts = ROUNDS[name](first, second, old, new, document_id)
            for done in [threads.submit(act) for act in acts]:
                done.result()
            first.publisher.pay_debts()
            assert agrees(index, first, document_id)
            assert IndexDebts(first.record).open() == ()


def test_a_document_has_one_turn_in_all_processes(
    processes: list[Process], governance: GovernanceSettings
) -> None:
    """Others wait for it, are told in words when it takes too long, and go on with the rest."""
    quick = replace(governance, busy_timeout_s=0.2)
    first, second = (DocumentLocks(process.record, quick) for process in processes)
    with first.of("a", "b"):
        with pytest.raises(DocumentBusy, match="being changed"), second.of("b"):
            pass
        with pytest.raises(DocumentBusy), second.of_all():
            pass
        with second.of("c") as still_ours:
            assert still_ours()
    with first.of_all(), pytest.raises(DocumentBusy), second.of("c"):
        pass
    with second.of("a", "b"):
        pass


def test_a_lock_that_was_lost_leaves_a_debt(processes: list[Process]) -> None:
    """Somebody else may have written meanwhile, so the document is looked at again."""
    first, second = processes
    _, document_id = first.hand_in()
    with first.publisher._changing(document_id), second.record.write() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks "
                "WHERE locktype = 'advisory' AND objsubid = 2"
            )
        )
    assert IndexDebts(first.record).open() == (document_id,)
    second.publisher.pay_debts()
    assert IndexDebts(first.record).open() == ()
