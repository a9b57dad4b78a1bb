"""GOV-8 by chance: whatever is approved, replaced, recalled, retired or removed, in any order, with
the process killed in between: no search ever returns a passage that was not in force at its time.

`make prove` sets GOV_8_HISTORIES to 10,000.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from governance.clock import day_begins
from governance.config import GovernanceSettings
from governance.errors import GovernanceError
from governance.events import SYSTEM, Actor
from governance.handing_in import HandIns, NewFile
from governance.loading import LoadingStore
from governance.loading_rows import NewPassage
from governance.policies import PolicyStore
from governance.policy_fields import PolicyFields
from governance.record.database import open_record
from governance.testing_clock import Watch
from governance.version_life import VersionLife
from governance.versions import Act
from ingest.publishing import Publisher
from rag.config import RagSettings
from rag.index import PassageIndex
from rag.index.edge import EdgeIndex

HISTORIES = int(os.environ.get("GOV_8_HISTORIES", "40"))
STEPS_EACH = 20
DOCUMENTS = 3
EDITOR = Actor("local", "edda", "password", "edda")
APPROVER = Actor("local", "anna", "password", "anna")
NEAR = [1.0, 0.0, 0.0]
# Acts on the index, any of which may be the last of a process.
# Which of the things that there are, by the order in which they were made.
WHICH = st.integers(0, 30)
DIES = st.sampled_from([None, None, None, 0, 1, 2, 3, 4, 5])
DOORS = ("upsert", "set_span", "delete_version", "delete_document", "flush")


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """An index whose process may be killed before one of its acts; then nothing works any more."""

    def __init__(self, index: PassageIndex) -> None:
        self._index = index
        self.acts_left: int | None = None

    def __getattr__(self, name: str) -> Any:
        if name in DOORS and self.acts_left is not None:
            if self.acts_left == 0:
                raise Killed
            self.acts_left -= 1
        return getattr(self._index, name)


@dataclass
class Claim:
    """In the plain account: a version was approved to begin then, and perhaps ended by itself."""

    version_id: str
    begins: datetime
    retired_at: datetime | None = None


class InForce(RuleBasedStateMachine):
    """A record and an index on disk, and what a plain account of the same acts says."""

    # A record with the newest schema and nothing in it.
    start = Path()

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = Path(
            tempfile.mkdtemp(prefix="lamplight-life-", dir=memory if memory.is_dir() else None)
        )
        shutil.copy(self.start, self.folder / "record.db")
        governance = GovernanceSettings(self.folder, time_zone="UTC")
        self.watch = Watch()
        self.record = open_record(governance)
        rag = RagSettings(self.folder / "index", embed_dimensions=3, index_reserve_bytes=0)
        self.index = Mortal(EdgeIndex(rag))
        self.hand_ins = HandIns(self.record, self.watch)
        self.store = LoadingStore(self.record, governance, self.watch)
        self.life = VersionLife(self.record, governance, self.watch)
        self.publisher = Publisher(
            self.record,
            self.index,  # type: ignore[arg-type]
            self.store,
            self.life,
            governance,
        )
        self.policies = PolicyStore(self.record, governance, self.watch)
        self.demo = self.policies.create_department(SYSTEM, "demo")
        self.claims: dict[str, list[Claim]] = {}
        # By version: its document, and the day it is meant to begin.
        self.versions: dict[str, tuple[str, date | None]] = {}
        self.made = 0
        self.owed = False

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.index.close()
        self.record.close()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        self._decide(Act.APPROVE, self._hand_in(None, None), None)

    @precondition(lambda self: len(self.claims) < DOCUMENTS)
    @rule(ahead=st.none() | st.integers(-2, 4))
    def hand_in(self, ahead: int | None) -> None:
        self._hand_in(None, ahead)

    @precondition(lambda self: self.claims)
    @rule(which=WHICH, ahead=st.none() | st.integers(-2, 4), approve=st.booleans(), dies=DIES)
    def replace(self, which: int, ahead: int | None, approve: bool, dies: int | None) -> None:
        """Hand in the next version, and approve it at once or leave it a draft."""
        version_id = self._hand_in(pick(self.claims, which), ahead)
        if approve:
            self._decide(Act.APPROVE, version_id, dies)

    @precondition(lambda self: self.versions)
    @rule(
        which=WHICH,
        act=st.sampled_from([Act.APPROVE, Act.OVERRIDE, Act.FIX, Act.RECALL, Act.RETIRE]),
        dies=DIES,
    )
    def decide(self, which: int, act: Act, dies: int | None) -> None:
        self._decide(act, pick(self.versions, which), dies)

    def _decide(self, act: Act, version_id: str, dies: int | None) -> None:
        self.watch.now += timedelta(seconds=1)
        if act is Act.APPROVE:
            with contextlib.suppress(GovernanceError):
                self.life.do(Act.SUBMIT, EDITOR, version_id)
        before = self.policies.still_in_force(self.versions, None), self._spans()
        self.index.acts_left = dies
        try:
            self.publisher.do(act, APPROVER, version_id, "a reason")
        except GovernanceError:
            return
        except Killed:
            self.owed = True
            if before == (self.policies.still_in_force(self.versions, None), self._spans()):
                return
        finally:
            self.index.acts_left = None
        self._account(act, version_id)

    @precondition(lambda self: self.claims)
    @rule(which=WHICH, dies=DIES)
    def remove(self, which: int, dies: int | None) -> None:
        document_id = pick(self.claims, which)
        self.index.acts_left = dies
        try:
            self.publisher.delete(EDITOR, document_id)
        except Killed:
            self.owed = True
        finally:
            self.index.acts_left = None
        del self.claims[document_id]
        self.versions = {one: what for one, what in self.versions.items() if what[0] != document_id}

    @rule(hours=st.sampled_from([0, 1, 13, 24, 49]))
    def time_passes(self, hours: int) -> None:
        self.watch.now += timedelta(hours=hours, seconds=1)

    @precondition(lambda self: self.owed)
    @rule()
    def start_again(self) -> None:
        self.publisher.repair()
        self.owed = False

    @invariant()
    def every_search_finds_what_was_in_force_then(self) -> None:
        for days in (-2, 0, 3):
            at = self.watch.now + timedelta(days=days)
            hits = self.index.search("demo", "policy", NEAR, 100, at.timestamp())
            ids = [hit.passage_id for hit in hits]
            found = {
                one.version_id for one in self.policies.passages_in_force(ids, "demo", at).values()
            }
            wanted = {one for claims in self.claims.values() for one in in_force(claims, at)}
            assert found <= wanted
            if not self.owed:
                assert found == wanted

    @invariant()
    def what_is_settled_is_exact_in_the_index_alone(self) -> None:
        if self.owed:
            return
        hits = self.index.search("demo", "policy", NEAR, 100, self.watch.now.timestamp())
        ids = [hit.passage_id for hit in hits]
        assert len(self.policies.passages_in_force(ids, "demo")) == len(ids)

    def _hand_in(self, document_id: str | None, ahead: int | None) -> str:
        self.made += 1
        day = None if ahead is None else (self.watch.now + timedelta(days=ahead)).date()
        file = NewFile(
            "p.md", f"{self.made:064x}", "text/markdown", 9, PolicyFields(effective_from=day)
        )
        taken = self.hand_ins.register(EDITOR, file, self.demo, replaces=document_id)
        assert taken.job_id is not None
        passage = NewPassage(0, "", 1, 1, "policy", f"policy {self.made}")
        self.store.save_text(taken.version_id, "Policy", ["policy"], [passage])
        ((passage_id, _),) = self.store.without_vector(taken.version_id, 9)
        self.store.save_vectors({passage_id: NEAR}, "test")
        self.publisher.finish(taken.version_id, taken.job_id)
        self.claims.setdefault(taken.document_id, [])
        self.versions[taken.version_id] = (taken.document_id, day)
        return taken.version_id

    def _spans(self) -> object:
        return self.store.to_be_indexed()

    def _account(self, act: Act, version_id: str) -> None:
        document_id, day = self.versions[version_id]
        claims, now = self.claims[document_id], self.watch.now
        if act is Act.RECALL:
            self.claims[document_id] = [one for one in claims if one.version_id != version_id]
        elif act is Act.RETIRE:
            next(one for one in claims if one.version_id == version_id).retired_at = now
        else:
            fixed = act is Act.FIX or day is None
            begins = now if fixed or day is None else max(now, day_begins(day, "UTC"))
            claims.append(Claim(version_id, begins))


def pick(made: Iterable[str], which: int) -> str:
    """One of them; ids are drawn anew in each run, places are not."""
    known = list(made)
    return known[which % len(known)]


def in_force(claims: list[Claim], at: datetime) -> set[str]:
    """The version whose time has come last, unless it was retired by then."""
    begun = [one for one in claims if one.begins <= at]
    if not begun:
        return set()
    last = max(begun, key=lambda one: one.begins)
    over = last.retired_at is not None and at >= last.retired_at
    return set() if over else {last.version_id}


def test_gov_8_nothing_but_what_is_in_force_is_ever_found(tmp_path: Path) -> None:
    """Now, in the past and in the future, also while the index owes the record something."""
    open_record(GovernanceSettings(tmp_path)).close()
    InForce.start = tmp_path / "record.db"
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        InForce,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS_EACH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize="GOV_8_HISTORIES" not in os.environ,
            database=None,
        ),
    )
