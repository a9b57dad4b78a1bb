"""Loading keeps its promises on PostgreSQL too: DBOS and the record share one database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.jobs import JobState, JobStore
from governance.policies import PolicyStore
from governance.record.database import open_record
from governance.testing import postgresql_cluster
from ingest.config import IngestSettings
from ingest.workflow import Loader
from rag.config import RagSettings
from rag.embed import Embedder
from rag.index import open_index
from rag.testing import DIMENSIONS, Script, scripted_runtime

POLICY = b"# Hand hygiene\n\n## Duty\n\nClean your hands before each contact with a patient.\n"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[GovernanceSettings]:
    with postgresql_cluster() as cluster:
        yield GovernanceSettings(data_dir=tmp_path, database_url=cluster.create("record"))


@contextmanager
def loader(settings: GovernanceSettings, url: str) -> Iterator[tuple[Loader, JobStore, int]]:
    """A loader at work, the jobs, and how many passages its index held at the start."""
    index_dir = settings.data_dir / "index"
    rag = RagSettings(index_dir=index_dir, embed_url=url, embed_dimensions=DIMENSIONS)
    record, index, embedder = open_record(settings), open_index(rag), Embedder(rag)
    made = Loader(record, index, embedder, rag.embed_model, settings, IngestSettings())
    made.launch()
    try:
        yield made, JobStore(record), index.count()
    finally:
        made.close()
        embedder.close()
        index.close()
        record.close()


def wait(jobs: JobStore) -> None:
    pause = threading.Event()
    while jobs.open_jobs():
        pause.wait(0.05)


def test_what_was_accepted_before_a_stop_is_loaded_after_it(settings: GovernanceSettings) -> None:
    """Queue, steps, recovery and the index that is built again work as they do on SQLite."""
    script = Script(embed_status=503)
    record = open_record(settings)
    demo = PolicyStore(record, settings).create_department(SYSTEM, "demo")
    record.close()
    with scripted_runtime(script) as url:
        with loader(settings, url) as (first, _jobs, _count):
            for number in range(3):
                first.submit(SYSTEM, f"{number}.md", POLICY + b"Number %d.\n" % number, demo)
        script.embed_status = 200
        with loader(settings, url) as (_second, jobs, _count):
            wait(jobs)
            assert [job.state for job in jobs.recent()] == [JobState.LOADED] * 3
        (settings.data_dir / "index").rename(settings.data_dir / "lost")
        with loader(settings, url) as (_third, _jobs, passages):
            assert passages == 3
