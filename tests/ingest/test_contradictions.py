"""RAG-4: a draft that differs from a policy in force in an amount says so before it is approved."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.jobs import JobStore
from governance.page_checks import PageCheck
from governance.policies import Department, PolicyStore
from governance.record.database import open_record
from ingest.config import IngestSettings
from ingest.testing import load_in_force
from ingest.workflow import Loader, Submitted
from rag.config import RagSettings
from rag.embed import Embedder
from rag.index import open_index
from rag.testing import DIMENSIONS, Script, scripted_runtime

RULE = "The nurse in charge checks the temperature of the refrigerator every {} minutes."
WAIT_S = 60


class Site:
    """A loader and what it writes to."""

    def __init__(self, folder: Path, url: str) -> None:
        governance = GovernanceSettings(data_dir=folder)
        rag = RagSettings(index_dir=folder / "index", embed_url=url, embed_dimensions=DIMENSIONS)
        self.record, self.index = open_record(governance), open_index(rag)
        self.embedder = Embedder(rag)
        self.policies = PolicyStore(self.record, governance)
        self.jobs = JobStore(self.record)
        parts = (self.record, self.index, self.embedder, rag.embed_model, governance)
        self.loader = Loader(*parts, IngestSettings(min_free_bytes=0))
        self.loader.launch()

    def close(self) -> None:
        """Let go of it."""
        self.loader.close()
        self.embedder.close()
        self.index.close()
        self.record.close()

    def load(self, place: Department, name: str, rule: str, *, in_force: bool) -> Submitted:
        """Load a policy of one rule."""
        content = f"# Cold chain {name}\n\n## Checks\n\n{rule}\n".encode()
        if in_force:
            done = load_in_force(self.loader, f"{name}.md", content, place)
        else:
            done = self.loader.submit(SYSTEM, f"{name}.md", content, place)
        deadline = time.monotonic() + WAIT_S
        while self.jobs.open_jobs():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return done

    def differing(self, done: Submitted) -> list[PageCheck]:
        """What was found to differ."""
        version = self.policies.document(done.document_id).versions[0]
        return [one for one in self.policies.checks(version.version_id) if one.kind == "differs"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with scripted_runtime(Script()) as url:
        site = Site(tmp_path, url)
        yield site
        site.close()


def test_rag_4_a_draft_names_the_policy_that_it_differs_from(site: Site) -> None:
    """With its section, both amounts and both sentences; the same amount is none."""
    place = site.policies.create_department(SYSTEM, "demo")
    site.load(place, "ward", RULE.format(60), in_force=True)
    (check,) = site.differing(site.load(place, "pharmacy", RULE.format(30), in_force=False))
    assert check.page == 1
    assert "It says 30 minutes, and Cold chain ward, " in check.detail
    assert "says 60 minutes" in check.detail
    assert RULE.format(30) in check.detail
    assert site.differing(site.load(place, "theatre", RULE.format(60), in_force=False)) == []


def test_rag_4_only_policies_in_force_of_the_department_are_compared(site: Site) -> None:
    """Neither drafts nor another department's are named."""
    place = site.policies.create_department(SYSTEM, "demo")
    other = site.policies.create_department(SYSTEM, "other")
    site.load(other, "ward", RULE.format(60), in_force=True)
    site.load(place, "draft", RULE.format(90), in_force=False)
    assert site.differing(site.load(place, "pharmacy", RULE.format(30), in_force=False)) == []
