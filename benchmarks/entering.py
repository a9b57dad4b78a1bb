"""What it costs to be let in: a decision, a session, a key, a password, and the sign-in page.

python -m benchmarks.entering [--times N] [--pages N]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import httpx

from benchmarks.figures import spread
from benchmarks.machine import describe
from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.keys import KeyStore
from governance.passwords import PasswordStore
from governance.people import PeopleStore
from governance.permissions import Permission, Role, decide
from governance.policies import PolicyStore
from governance.record.database import open_record
from governance.secrets import Secrets
from governance.sessions import SessionStore
from lamplight.testing import lamplight

PASSWORD = "violet tractor hums at noon"
DEPARTMENTS, PEOPLE = 20, 500
PASSWORDS = 20


def main() -> None:
    """Measure everything, print one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=2000)
    options.add_argument("--pages", type=int, default=300)
    chosen = options.parse_args()
    told = {"machine": describe(), "inside_us": inside(chosen.times)}
    told["sign_in_page_ms"] = page(chosen.pages)
    print(json.dumps(told, indent=2))


def inside(times: int) -> dict[str, dict[str, float]]:
    """Each part alone, among 500 people in 20 departments; microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        settings = GovernanceSettings(data_dir=Path(folder))
        record = open_record(settings)
        people, now = PeopleStore(record), datetime.now(UTC)
        policies = PolicyStore(record, settings)
        places = [policies.create_department(SYSTEM, f"d{n}").id for n in range(DEPARTMENTS)]
        for number in range(PEOPLE):
            person = people.create(SYSTEM, f"Person {number}", f"person{number}")
            people.grant(SYSTEM, person.id, Role.STAFF, places[number % DEPARTMENTS])
        sessions = SessionStore(record, settings, Secrets(settings.keys_dir).hmac_key())
        keys, passwords = KeyStore(record, people), PasswordStore(record, settings)
        passwords.set_password(SYSTEM, person.id, PASSWORD)
        token = sessions.start(SYSTEM, person.id, "password", "benchmark", now)
        scopes, end = frozenset({Permission.POLICIES_ASK}), now + timedelta(days=1)
        _, key = keys.create(SYSTEM, person.id, "benchmark", scopes, None, end, now)
        principal = people.principal(person.id, "password")

        def decision() -> None:
            decide(principal, Permission.POLICIES_ASK, places[-1], now)

        def fresh_decision() -> None:
            fresh = people.principal(person.id, "password")
            decide(fresh, Permission.POLICIES_ASK, places[-1], now)

        told = {
            "decision": timed(decision, times),
            "decision_with_rights_read_anew": timed(fresh_decision, times),
            "session": timed(lambda: sessions.find(token, now), times),
            "key": timed(lambda: keys.principal_of(key, now), times),
            "password": timed(lambda: passwords.verify(person.id, PASSWORD), PASSWORDS),
        }
        record.close()
    return told


def timed(act: Callable[[], object], times: int) -> dict[str, float]:
    """Microseconds of one call."""
    taken = []
    for _ in range(times):
        began = time.perf_counter_ns()
        act()
        taken.append((time.perf_counter_ns() - began) / 1000)
    cuts = quantiles(taken, n=100, method="inclusive")
    return {"p50": round(median(taken), 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)}


def page(times: int) -> dict[str, float]:
    """The sign-in page of a running platform, as a browser gets it; milliseconds."""
    taken = []
    with (
        lamplight("--no-samples") as running,
        httpx.Client(base_url=running.url, trust_env=False) as client,
    ):
        for _ in range(times + 1):
            began = time.perf_counter()
            client.get("/sign-in").raise_for_status()
            taken.append((time.perf_counter() - began) * 1000)
    return spread(taken[1:])


if __name__ == "__main__":
    main()
