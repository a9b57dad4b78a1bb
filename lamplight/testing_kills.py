"""For tests: somebody who loads, replaces, retires and removes policies until killed.

Run as a program it does random acts on a data directory, for ever. Told the name of a door and a
number, it dies of `kill -9` just before that door is passed for that time; without, its parent
kills it. `unsettled` then says what record, index and files disagree about after a start.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from governance import original_drops, originals
from governance.audit.log import AuditLog
from governance.config import GovernanceSettings
from governance.errors import GovernanceError
from governance.events import SYSTEM, Actor
from governance.index_debts import IndexDebts
from governance.jobs import JobState, JobStore
from governance.loading import LoadingStore
from governance.policies import Department, PolicyStore
from governance.record.database import Record, open_record
from governance.version_life import VersionLife
from governance.versions import Act, VersionState
from ingest.config import IngestSettings
from ingest.index import live_span
from ingest.workflow import Loader
from rag.config import RagSettings
from rag.embed import Embedder
from rag.index.edge import EdgeIndex
from rag.testing import DIMENSIONS, word_vector

EDITOR = Actor("local", "edda", "password", "edda")
APPROVER = Actor("local", "anna", "password", "anna")
# Steps of loading, replacing, retiring and removing; each may be the last thing a process does.
DOORS = (
    "_write_durably",
    "drop_original",
    "upsert",
    "set_span",
    "delete_version",
    "delete_document",
    "flush",
    "write",
    "append",
)
# Where the doors are; the others are the index's.
OWNERS: dict[str, Any] = {
    "_write_durably": originals,
    "drop_original": original_drops,
    "write": Record,
    "append": AuditLog,
}
WORDS = ("ward", "door", "hand", "dose", "fridge", "fall", "visitor", "needle", "night", "bed")
PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Site:
    """The parts that loading needs, over one data directory."""

    folder: Path
    record: Record
    index: EdgeIndex
    loader: Loader
    store: LoadingStore
    policies: PolicyStore
    jobs: JobStore
    place: Department


@contextmanager
def opened(folder: Path, url: str) -> Iterator[Site]:
    """The parts at work; what an earlier process left is taken up."""
    settings = GovernanceSettings(folder)
    rag = RagSettings(
        folder / "index", embed_url=url, embed_dimensions=DIMENSIONS, index_reserve_bytes=0
    )
    record, index, embedder = open_record(settings), EdgeIndex(rag), Embedder(rag)
    limits = IngestSettings(min_free_bytes=0)
    loader = Loader(record, index, embedder, rag.embed_model, settings, limits)
    policies = PolicyStore(record, settings)
    place = policies.create_department(SYSTEM, "demo")
    loader.launch()
    store = LoadingStore(record, settings)
    try:
        yield Site(folder, record, index, loader, store, policies, JobStore(record), place)
    finally:
        loader.close()
        embedder.close()
        index.close()
        record.close()


def act_for_ever(folder: Path, url: str, seed: int) -> None:
    """Do random acts; a letter is said after each."""
    chance = random.Random(seed)  # noqa: S311
    with opened(folder, url) as site:
        life = VersionLife(site.record, GovernanceSettings(folder))
        os.write(1, b"ready\n")
        while True:
            try:
                _act(site, life, chance)
            except GovernanceError as error:
                os.write(1, f"refused: {error}\n".encode())
            else:
                os.write(1, b"done\n")


def _act(site: Site, life: VersionLife, chance: random.Random) -> None:
    known = site.policies.documents("demo")
    drafts = [one for one in known if one.state is VersionState.DRAFT]
    effective = [one for one in known if one.state is VersionState.EFFECTIVE]
    kind = chance.choice(("new", "next", "approve", "approve", "retire", "delete"))
    if kind == "approve" and drafts:
        chosen = chance.choice(drafts).version_id
        life.do(Act.SUBMIT, EDITOR, chosen)
        site.loader.publisher.do(Act.APPROVE, APPROVER, chosen)
    elif kind == "retire" and len(effective) > 3:
        chosen = chance.choice(effective).version_id
        site.loader.publisher.do(Act.RETIRE, APPROVER, chosen, "a test")
    elif kind == "delete" and len(known) > 6:
        site.loader.publisher.delete(EDITOR, chance.choice(known).document_id)
    elif kind == "new" or kind == "next":
        replaces = chance.choice(effective).document_id if kind == "next" and effective else None
        override = "a test" if chance.random() < 0.5 else None
        _hand_in(site, chance, replaces, override)


def _hand_in(site: Site, chance: random.Random, replaces: str | None, override: str | None) -> None:
    parts = (
        f"## Part {number}\n\n{' '.join(chance.choices(WORDS, k=30))}.\n" for number in range(3)
    )
    text = f"# Rule {chance.random()}\n\n" + "\n".join(parts)
    job_id = site.loader.submit(
        EDITOR, "rule.md", text.encode(), site.place, replaces=replaces, override_reason=override
    ).job_id
    assert job_id is not None
    if chance.random() < 0.7:  # else the next act meets it while it is loading
        settle(site.jobs)


def settle(jobs: JobStore) -> None:
    """Wait until nothing is being loaded."""
    end = time.monotonic() + PATIENCE_S
    while jobs.open_jobs():
        assert time.monotonic() < end, jobs.open_jobs()
        time.sleep(0.02)


def killed(folder: Path, url: str, seed: int, door: str | None, after: int) -> int:
    """Let somebody act until killed: at a door, or after so many acts; gives the acts done."""
    command = [sys.executable, "-m", "lamplight.testing_kills", str(folder), url, str(seed)]
    if door is not None:
        command += [door, str(after)]
    done = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            done += line == b"done\n"
            # A door that is not passed often enough must not let it go on for ever.
            if done >= (after if door is None else 30):
                time.sleep((seed % 97) / 500)  # somewhere within the next act
                writer.send_signal(signal.SIGKILL)
                break
        writer.stdout.read()
    return done


def unsettled(site: Site) -> list[str]:
    """What record, index and stored files disagree about, in words; nothing if all is well."""
    settle(site.jobs)
    # A document that was removed while it was loading has no job; its last step pays its own debt.
    debts, end = IndexDebts(site.record), time.monotonic() + PATIENCE_S
    while debts.open() and time.monotonic() < end:
        time.sleep(0.02)
    wrong = [
        f"job {one.job_id} failed" for one in site.jobs.recent() if one.state == JobState.FAILED
    ]
    wanted = {one.version_id: one for one in site.store.to_be_indexed()}
    counts = {version_id: one.passages for version_id, one in wanted.items()}
    if site.index.versions() != counts:
        wrong.append(f"the index holds {site.index.versions()}, the record {counts}")
    now = datetime.now(UTC)
    hits = site.index.search("demo", " ".join(WORDS), word_vector("ward"), 10_000, now.timestamp())
    ids = [hit.passage_id for hit in hits]
    live = [
        one
        for one in wanted.values()
        if live_span(one.span).live_from <= now.timestamp() < live_span(one.span).live_until
    ]
    confirmed = site.policies.passages_in_force(ids, "demo", now)
    if len(confirmed) != len(ids) or len(ids) != sum(one.passages for one in live):
        wrong.append(f"{len(ids)} found, {len(confirmed)} confirmed, {live} in force")
    if debts.open():
        wrong.append("a debt to the index is open")
    if any(
        one.completed_at is None for one in site.loader.publisher.receipts([site.place.id], 9999)
    ):
        wrong.append("a receipt is not completed")
    return wrong + _files(site) + _overlaps(site)


def _files(site: Site) -> list[str]:
    stored = {path.name for path in (site.folder / "originals").rglob("*") if path.is_file()}
    known = {
        one.digest
        for document_id in {d.document_id for d in site.policies.documents("demo")}
        for one in site.policies.document(document_id).versions
    }
    missing = known - stored
    return [f"{len(missing)} files of versions are missing"] if missing else []


def _overlaps(site: Site) -> list[str]:
    wrong: list[str] = []
    for document_id in {one.document_id for one in site.policies.documents("demo")}:
        versions = site.policies.document(document_id).versions
        if sum(one.state is VersionState.EFFECTIVE for one in versions) > 1:
            wrong.append(f"two versions of {document_id} are in force")
        if any(one.state is VersionState.LOADING for one in versions):
            wrong.append(f"a version of {document_id} is loading for ever")
    return wrong


def die_at(door: str, times: int) -> None:
    """Make this process end just before it passes a door for the nth time."""
    left = times

    def mortal(passed: Callable[..., Any]) -> Callable[..., Any]:
        def pass_through(*arguments: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return passed(*arguments, **more)

        return pass_through

    owner = OWNERS.get(door, EdgeIndex)
    setattr(owner, door, mortal(getattr(owner, door)))


if __name__ == "__main__":
    if len(sys.argv) > 4:
        die_at(sys.argv[4], int(sys.argv[5]))
    act_for_ever(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
