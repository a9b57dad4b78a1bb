"""What the audit trail costs: appending, signing, proving, verifying and searching.

python -m benchmarks.trail [--events N] [--singles N] [--data DIR]
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.figures import spread
from benchmarks.machine import describe
from governance.audit.checkpoint import Checkpoints, prove
from governance.audit.log import AuditLog
from governance.audit.search import Filter, search
from governance.audit.verify import verify
from governance.config import GovernanceSettings
from governance.events import Action, Actor, Event
from governance.record.database import Record, open_record

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE, DEPARTMENTS, DOCUMENTS = 500, 20, 2000
BATCH = 2000
QUERIES = 100
PROOFS = 100


def main() -> None:
    """Fill a trail, measure it, print one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=100_000)
    options.add_argument("--singles", type=int, default=5_000)
    options.add_argument("--data", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.data) as folder:
        record = open_record(GovernanceSettings(data_dir=Path(folder)))
        key = Ed25519PrivateKey.generate()
        print(json.dumps(measure(record, key, chosen.events, chosen.singles), indent=2))
        record.close()


def measure(record: Record, key: Ed25519PrivateKey, events: int, singles: int) -> dict[str, Any]:
    """All figures of one trail."""
    chance = random.Random(1)
    told: dict[str, Any] = {"machine": describe(), "events": events}
    clock = Clock()
    record.trail = AuditLog(clock)
    checkpoints = Checkpoints(record, key, "benchmark.example/trail", clock=clock)
    began = time.perf_counter()
    fill(record, checkpoints, events - singles, chance)
    told["appends_per_s_in_batches"] = round((events - singles) / (time.perf_counter() - began))
    times = [timed(lambda: append(record, chance)) for _ in range(singles)]
    told["appends_per_s_one_by_one"] = round(singles / (sum(times) / 1000))
    told["append_ms"] = {**spread(times), "p99": round(percentile_99(times), 2)}
    told["checkpoint_ms"] = round(timed(checkpoints.sign), 1)
    with record.read() as connection:
        began, busy = time.perf_counter(), time.process_time()
        verdict = verify(connection, checkpoints.verifier_key)
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        assert not verdict.findings, verdict.findings
        told["verify_events_per_s"] = round(verdict.size / seconds)
        told["verify_events_per_cpu_s"] = round(verdict.size / busy)
        told["verified_checkpoints"] = verdict.checkpoints
        numbers = [chance.randrange(events) for _ in range(PROOFS)]
        proofs = [timed(lambda seq=seq: prove(connection, record, seq)) for seq in numbers]
        told["proof_ms"] = spread(proofs)
        told["search_ms"] = {}
        for name, wanted, departments in searches(events, chance):
            found = [
                timed(lambda w=w, d=d: search(connection, w, d))
                for w, d in zip(wanted, departments, strict=True)
            ]
            told["search_ms"][name] = spread(found)
    return told


class Clock:
    """Ten events a second."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=100)
        return self.now


def fill(record: Record, checkpoints: Checkpoints, count: int, chance: random.Random) -> None:
    """Many events in few transactions, signed now and then."""
    for first in range(0, count, BATCH):
        with record.write() as connection:
            for _ in range(min(BATCH, count - first)):
                record.trail.append(connection, event(chance))
        checkpoints.sign()


def append(record: Record, chance: random.Random) -> None:
    """One event in a transaction of its own, on the disk when it returns."""
    with record.write() as connection:
        record.trail.append(connection, event(chance))


def event(chance: random.Random) -> Event:
    """An event of ordinary size; a tenth of the people do half of the work."""
    person = chance.randrange(PEOPLE // 10 if chance.random() < 0.5 else PEOPLE)
    return Event(
        chance.choice([Action.DOCUMENT_READ, Action.QUESTION_ASKED, Action.SESSION_STARTED]),
        Actor("https://idp.example/realms/hospital", f"user-{person}", "oidc", f"{person:036d}"),
        f"{chance.randrange(DEPARTMENTS):036d}",
        "document",
        f"{chance.randrange(DOCUMENTS):036d}",
        f"sha256:{chance.getrandbits(256):064x}",
        request_id=f"{chance.getrandbits(128):032x}",
        facts={"passages": [f"{chance.getrandbits(256):064x}"], "tokens": 120},
    )


Queries = list[Filter]
Places = list[tuple[str, ...] | None]


def searches(events: int, chance: random.Random) -> list[tuple[str, Queries, Places]]:
    """Each kind of question an auditor asks, many times over."""

    def actor() -> str:
        return f"https://idp.example/realms/hospital|user-{chance.randrange(PEOPLE)}"

    def document() -> str:
        return f"{chance.randrange(DOCUMENTS):036d}"

    def moment() -> datetime:
        return START + timedelta(seconds=chance.randrange(events // 10))

    def places() -> tuple[str, ...]:
        return tuple(f"{n:036d}" for n in chance.sample(range(DEPARTMENTS), 3))

    def hour(**given: str) -> Filter:
        since = moment()
        return Filter(**given, since=since, until=since + timedelta(hours=1))

    def many(make: Callable[[], Filter]) -> Queries:
        return [make() for _ in range(QUERIES)]

    everywhere: Places = [None] * QUERIES
    three: Places = [places() for _ in range(QUERIES)]
    return [
        ("newest", many(Filter), everywhere),
        ("newest, 3 departments", many(Filter), three),
        ("actor", many(lambda: Filter(actor_id=actor())), everywhere),
        ("actor, 3 departments", many(lambda: Filter(actor_id=actor())), three),
        (
            "object",
            many(lambda: Filter(object_id=f"{chance.randrange(DOCUMENTS):036d}")),
            everywhere,
        ),
        ("action", many(lambda: Filter(action=Action.QUESTION_ASKED)), everywhere),
        ("an hour", many(hour), everywhere),
        ("an hour, 3 departments", many(hour), three),
        ("actor in an hour", many(lambda: hour(actor_id=actor())), everywhere),
        ("actor before a time", many(lambda: Filter(actor(), until=moment())), three),
    ]


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that an act takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def percentile_99(values: list[float]) -> float:
    """The 99th percentile."""
    return quantiles(values, n=100, method="inclusive")[-1]


if __name__ == "__main__":
    main()
