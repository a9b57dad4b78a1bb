"""Where a new version gives another amount than a policy in force of the same department (RAG-4).

Looked for before the version is submitted, among the passages that stand nearest to its own; the
decision is `rag/contradiction.py`'s, the choice between the two a person's.
"""

import time

from governance.config import GovernanceSettings
from governance.loading import IndexedPassage, LoadingStore
from governance.page_checks import PageCheck, PageChecks
from governance.policies import PassageRecord, PolicyStore
from governance.record.database import Record
from ingest.document import FindingKind
from rag.contradiction import Difference, counts_something, differences
from rag.index import PassageIndex

NEAR = 0.85  # cosine from which two passages are taken to speak of the same thing
NEAREST = 6  # passages of the department that are looked at for each
MAX_PASSAGES = 300  # of one version that are compared
MAX_REPORTED = 20
MAX_QUOTE_CHARS = 160


class Contradictions:
    """Compares a version that was just read with what answers questions now."""

    def __init__(
        self, record: Record, index: PassageIndex, store: LoadingStore, settings: GovernanceSettings
    ) -> None:
        self._checks = PageChecks(record)
        self._index = index
        self._store = store
        self._policies = PolicyStore(record, settings)

    def report(self, version_id: str) -> None:
        """Add a check for each amount in which a policy in force differs; twice is no error."""
        found: dict[str, PageCheck] = {}
        counting = [
            one for one in self._store.to_index(version_id) if counts_something(one.embed_text)
        ]
        for passage in counting[:MAX_PASSAGES]:
            for other in self._near(passage):
                for one in differences(passage.embed_text, other.text):
                    check = self._check(passage.passage_id, one, other)
                    found.setdefault(check.detail, check)
        kept = sorted(found.values(), key=lambda check: check.page)[:MAX_REPORTED]
        self._checks.report(version_id, FindingKind.DIFFERS, kept)

    def _near(self, passage: IndexedPassage) -> list[PassageRecord]:
        hits = self._index.search(
            passage.department, passage.embed_text, passage.vector, NEAREST, time.time()
        )
        near = [hit.passage_id for hit in hits if (hit.similarity or 0.0) >= NEAR]
        records = self._policies.passages_in_force(near, passage.department)
        return [one for one in records.values() if one.document_id != passage.document_id]

    def _check(self, passage_id: str, one: Difference, other: PassageRecord) -> PageCheck:
        name = " ".join(part for part in (other.policy_number, other.title) if part)
        place = f"{name}, {other.section}" if other.section else name
        words = (
            f"It says {one.amount_here}, and {place} says {one.amount_there}: "
            f"“{_cut(one.here)}” / “{_cut(one.there)}”. Make sure which of them holds."
        )
        page = self._policies.passage(passage_id).page_from
        return PageCheck(page, FindingKind.DIFFERS, words)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_QUOTE_CHARS else f"{text[:MAX_QUOTE_CHARS]}…"
