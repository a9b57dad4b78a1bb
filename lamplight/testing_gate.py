"""For tests: a record with its stores, people with keys, and the runtime's gate on it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import Headers
from starlette.testclient import TestClient

from governance.approvals import ApprovalStore
from governance.config import GovernanceSettings
from governance.events import SYSTEM, Actor
from governance.keys import KeyStore
from governance.limits import Limit, Period
from governance.model_guard import ModelGuard
from governance.people import PeopleStore
from governance.permissions import Permission, Role
from governance.quotas import QuotaStore
from governance.record.database import Record
from governance.testing_trail import charges_of, events_of
from lamplight.gate import RecordGate
from runtime.api.app import create_app
from runtime.config import RuntimeSettings
from runtime.store import Store

CHAT, EMBED = "smollm2:135m", "all-minilm"
START_KEY = "lrt_the-key-of-this-start"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
URL = "http://127.0.0.1:11434"
ASK = {"model": CHAT, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
USE = Permission.MODELS_USE


class House:
    """A record with its stores, and a gate on it."""

    def __init__(
        self, record: Record, settings: RuntimeSettings, governance: GovernanceSettings
    ) -> None:
        self.record, self.settings, self.now = record, settings, NOW
        self.governance, self.approvals = governance, ApprovalStore(record, governance)
        self.people = PeopleStore(record, lambda: self.now)
        self.keys, self.quotas = KeyStore(record, self.people), QuotaStore(record)
        self.gate = self.with_settings()

    def with_settings(self, **changes: Any) -> RecordGate:
        settings = replace(self.settings, **changes)
        guard = ModelGuard(self.record, self.governance, self.approvals)
        return RecordGate(
            settings, START_KEY, self.record, self.keys, self.quotas, guard, lambda: self.now
        )

    def key(self, role: Role = Role.STAFF, scopes: Sequence[Permission] = (USE,)) -> str:
        """The text of a new key of a new person, and of that person alone."""
        person = self.people.create(SYSTEM, "Ann", "ann").id
        self.people.grant(SYSTEM, person, role, None)
        actor = Actor("local", "ann", "password", person)
        ends = NOW + timedelta(days=1)
        return self.keys.create(actor, person, "script", scopes, None, ends, NOW)[1]

    def events(self, action: str) -> list[dict[str, Any]]:
        """What the trail holds of one action."""
        return events_of(self.record, action)

    def charges(self) -> list[tuple[str, int]]:
        """State and tokens of every charge."""
        return charges_of(self.record)

    def limit(self, **most: int | None) -> None:
        numbers: dict[str, int | None] = {"requests": None, "tokens": None, **most}
        self.quotas.set_limit(SYSTEM, Limit(None, None, True, Period.DAY, **numbers))

    @contextmanager
    def client(self, gate: RecordGate | None = None, **changes: Any) -> Iterator[TestClient]:
        settings = replace(self.settings, **changes)
        gate = gate or self.with_settings(**changes)
        app = create_app(settings, Store(settings.models_dir), gate)
        with TestClient(app, base_url=URL) as client:
            yield client


def bearer(key: str, **more: str) -> Headers:
    return Headers({"Authorization": f"Bearer {key}"} | more)
