"""The record decides what answers, and the index follows: also after a crash, and without a gap."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governance.config import GovernanceSettings
from governance.erasing import Erasing
from governance.errors import IllegalTransition
from governance.events import SYSTEM, Actor
from governance.handing_in import HandIns, NewFile
from governance.index_debts import IndexDebts
from governance.loading import LoadingStore
from governance.loading_rows import NewPassage
from governance.policies import Department, PolicyStore
from governance.policy_fields import PolicyFields
from governance.record.database import Record, open_record
from governance.searched_words import searched_words
from governance.testing_clock import Watch
from governance.version_life import VersionLife
from governance.versions import Act
from ingest.index import require_model
from ingest.publishing import Publisher
from rag.config import RagSettings
from rag.errors import EmbeddedByAnother
from rag.index import OPEN, IndexPoint
from rag.index.edge import EdgeIndex

OWNER = Actor("local", "owner", "socket")
NEAR = [1.0, 0.0, 0.0]


@dataclass
class Site:
    """A record and an index, and a time that the test sets."""

    record: Record
    index: EdgeIndex
    store: LoadingStore
    hand_ins: HandIns
    policies: PolicyStore
    publisher: Publisher
    debts: IndexDebts
    erasing: Erasing
    watch: Watch
    demo: Department

    def hand_in(self, text: str, document_id: str | None = None) -> str:
        """A new draft of one passage; gives its version's id."""
        file = NewFile(f"{text}.md", f"{hash(text):064x}"[-64:], "text/markdown", 9)
        taken = self.hand_ins.register(OWNER, file, self.demo, replaces=document_id)
        assert taken.job_id is not None
        self.store.save_text(taken.version_id, text, [text], [NewPassage(0, "", 1, 1, text, text)])
        ((passage_id, _),) = self.store.without_vector(taken.version_id, 9)
        self.store.save_vectors({passage_id: NEAR}, "test")
        self.publisher.finish(taken.version_id, taken.job_id)
        return taken.version_id

    def put_in_force(self, version_id: str) -> str:
        """Gives the document's id."""
        self.watch.now = self.watch.now.replace(minute=self.watch.now.minute + 1)
        return self.publisher.do(Act.OVERRIDE, OWNER, version_id, "a test")

    def found(self) -> list[str]:
        """The texts that a search finds now."""
        at = self.watch.now.timestamp()
        hits = self.index.search("demo", "rule", NEAR, 9, at)
        passages = self.policies.passages_in_force([hit.passage_id for hit in hits], "demo")
        return sorted(one.text for one in passages.values())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    governance = GovernanceSettings(tmp_path)
    record, watch = open_record(governance), Watch()
    index = EdgeIndex(RagSettings(tmp_path / "index", embed_dimensions=3, index_reserve_bytes=0))
    store = LoadingStore(record, governance, watch)
    policies = PolicyStore(record, governance, watch)
    life = VersionLife(record, governance, watch)
    yield Site(
        record,
        index,
        store,
        HandIns(record, watch),
        policies,
        Publisher(record, index, store, life, governance),
        IndexDebts(record),
        Erasing(record, governance),
        watch,
        policies.create_department(SYSTEM, "demo"),
    )
    index.close()
    record.close()


def test_a_draft_is_in_the_index_and_found_by_nobody(site: Site) -> None:
    """A version is indexed completely beside the old one before it goes live in one step."""
    old = site.hand_in("rule one")
    document_id = site.put_in_force(old)
    site.hand_in("rule two", document_id)
    assert (site.index.count(), site.found()) == (2, ["rule one"])


def test_a_new_version_takes_the_place_of_the_old_one(site: Site) -> None:
    """Both stay in the index: as of yesterday the old one is found."""
    document_id = site.put_in_force(site.hand_in("rule one"))
    yesterday = site.watch.now.timestamp()
    site.put_in_force(site.hand_in("rule two", document_id))
    assert site.found() == ["rule two"]
    assert len(site.index.search("demo", "rule", NEAR, 9, yesterday)) == 1


def dying(monkeypatch: pytest.MonkeyPatch, name: str) -> Callable[..., Any]:
    """The process ends when the index is asked for this."""

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt(name)

    monkeypatch.setattr(EdgeIndex, name, die)
    return die


def test_between_record_and_index_the_new_version_is_found(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was opened in the index before the record said so: there is no moment without a policy."""
    document_id = site.put_in_force(site.hand_in("rule one"))
    new = site.hand_in("rule two", document_id)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        dying(patch, "count")  # the first thing that is asked once the record has changed
        site.put_in_force(new)
    assert site.found() == ["rule two"]
    assert site.debts.open() == (document_id,)
    assert site.publisher.repair() == 1
    assert (site.found(), site.debts.open()) == (["rule two"], ())


def test_an_act_that_is_refused_leaves_the_index_as_it_was(site: Site) -> None:
    """What was opened for it is closed again."""
    version_id = site.hand_in("rule one")
    with pytest.raises(IllegalTransition):
        site.publisher.do(Act.APPROVE, OWNER, version_id)
    at = site.watch.now.timestamp()
    assert site.index.search("demo", "rule", NEAR, 9, at) == []
    assert site.debts.open() == ()


def test_a_deletion_that_was_cut_short_is_finished_at_the_next_start(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is found meanwhile; afterwards the receipt says that nothing is left."""
    document_id = site.put_in_force(site.hand_in("rule one"))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        dying(patch, "delete_document")
        site.publisher.delete(OWNER, document_id)
    assert (site.found(), site.index.count()) == ([], 1)
    assert len(site.erasing.open()) == 1
    site.publisher.repair()
    (receipt,) = site.publisher.receipts([site.demo.id], 10)
    assert (receipt.before["indexed"], receipt.after) == (1, dict.fromkeys(receipt.before, 0))
    assert site.index.count() == 0


def test_a_start_repairs_only_what_differs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers go, a version that lost passages comes back, and the others are not touched."""
    whole = site.hand_in("rule one")
    site.put_in_force(whole)
    lost = site.hand_in("rule two")
    site.put_in_force(lost)
    site.index.delete_version(lost)
    stranger = "00000000-0000-0000-0000-000000000009"
    site.index.upsert([IndexPoint(stranger, "gone", "v9", "demo", "rule nine", NEAR, OPEN)])
    written: list[str] = []
    upsert = EdgeIndex.upsert

    def watched(index: EdgeIndex, points: list[IndexPoint]) -> None:
        written.extend(point.version_id for point in points)
        upsert(index, points)

    monkeypatch.setattr(EdgeIndex, "upsert", watched)
    assert site.publisher.repair() == 2
    assert written == [lost]
    assert site.found() == ["rule one", "rule two"]
    assert site.publisher.repair() == 0


def test_a_rebuild_keeps_the_times_in_force(site: Site) -> None:
    """Drafts stay closed and superseded versions ended."""
    document_id = site.put_in_force(site.hand_in("rule one"))
    site.put_in_force(site.hand_in("rule two", document_id))
    site.hand_in("rule three", document_id)
    site.index.clear()
    assert site.publisher.rebuild() == 3
    at = site.watch.now.timestamp()
    assert (site.found(), len(site.index.search("demo", "rule", NEAR, 9, at))) == (["rule two"], 1)


def titled(site: Site, title: str) -> str:
    """A draft under this title, with one passage below a heading; gives its version's id."""
    file = NewFile("hands.md", "d" * 64, "text/markdown", 9)
    taken = site.hand_ins.register(OWNER, file, site.demo)
    assert taken.job_id is not None
    words = searched_words(title, ["Duty"], "Clean them.")
    passage = NewPassage(0, "Duty", 1, 1, "Clean them.", words)
    site.store.save_text(taken.version_id, title, ["Clean them."], [passage])
    ((passage_id, _),) = site.store.without_vector(taken.version_id, 9)
    site.store.save_vectors({passage_id: NEAR}, "test")
    site.publisher.finish(taken.version_id, taken.job_id)
    return taken.version_id


def by_words(site: Site, words: str) -> list[str]:
    """The texts that a search by words alone finds now."""
    hits = site.index.search("demo", words, None, 9, site.watch.now.timestamp())
    passages = site.policies.passages_in_force([hit.passage_id for hit in hits], "demo")
    return [one.text for one in passages.values()]


def test_a_corrected_title_is_what_is_searched(site: Site) -> None:
    """By its new word it is found, by the word that was removed it is not; the sense stays."""
    version_id = titled(site, "Hand hygeine")
    site.publisher.change(OWNER, version_id, PolicyFields(title="Hand hygiene"))
    site.put_in_force(version_id)
    assert by_words(site, "hygiene") == by_words(site, "duty") == ["Clean them."]
    assert by_words(site, "hygeine") == []
    assert site.found() == ["Clean them."]
    assert site.index.count() == 1
    site.index.clear()
    site.publisher.rebuild()
    assert (by_words(site, "hygiene"), by_words(site, "hygeine")) == (["Clean them."], [])


def test_a_correction_that_was_cut_short_reaches_the_index_at_the_next_start(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The debt says that the words themselves have changed: the count of passages tells nothing."""
    version_id = titled(site, "Hand hygeine")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        dying(patch, "upsert")
        site.publisher.change(OWNER, version_id, PolicyFields(title="Hand hygiene"))
    assert len(site.debts.open()) == 1
    site.publisher.repair()
    site.put_in_force(version_id)
    assert (by_words(site, "hygiene"), site.debts.open()) == (["Clean them."], ())


def test_other_fields_write_no_passage_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number or an owner is not among the words of a passage."""
    version_id = titled(site, "Hand hygiene")
    dying(monkeypatch, "upsert")
    site.publisher.change(OWNER, version_id, PolicyFields(policy_number="IC-001"))


def test_vectors_of_two_models_are_never_compared(site: Site) -> None:
    """Another model than the one that embedded the policies is refused before anything opens."""
    require_model(site.store, "anything")
    site.hand_in("Wash your hands.")
    require_model(site.store, "test")
    with pytest.raises(EmbeddedByAnother, match=r"embedded by test, .* name other"):
        require_model(site.store, "other")
