"""The runtime's gate on a real record: who comes in, what is charged, and what the trail says."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from governance.approvals import ApprovalStore
from governance.audit.testing import no_room
from governance.config import GovernanceSettings
from governance.data_classes import DataClass
from governance.denials import PER_MINUTE, WINDOW, Denials
from governance.department_classes import ClassStore
from governance.events import SYSTEM, Actor
from governance.keys import KeyStore
from governance.limits import Limit, Period
from governance.model_blocks import BlockStore
from governance.model_guard import ModelGuard
from governance.people import PeopleStore
from governance.permissions import Permission, Role
from governance.policies import PolicyStore
from governance.quotas import QuotaStore
from governance.record.database import Record, open_record
from governance.record.model_tables import model_uses
from governance.record.trail_tables import audit_leaves
from governance.record.use_tables import usage
from governance.testing_approvals import BEN, approved
from lamplight.gate import OTHER_KEY_HEADERS, PROXY_HEADERS, RecordGate
from lamplight.pinned import is_pinned
from runtime.api.access import PUBLIC, ROUTES
from runtime.api.app import create_app
from runtime.api.gate import Use, Visit
from runtime.api.gatekeeper import RECHECK_S, Gatekeeper
from runtime.api.meter import Meter
from runtime.api.refusal import Forbidden, LimitReached, Unauthorized
from runtime.catalog import builtin_catalog
from runtime.config import RuntimeSettings
from runtime.manifest import (
    ADAPTER_TYPE,
    LICENSE_TYPE,
    MODEL_TYPE,
    PARAMS_TYPE,
    SYSTEM_TYPE,
    TEMPLATE_TYPE,
    Layer,
    make_manifest,
)
from runtime.names import ModelName, parse_name
from runtime.pull import Puller
from runtime.store import InstalledModel, Store
from web.limit_headers import limit_headers

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
        wanted = select(audit_leaves.c.body).where(audit_leaves.c.action == action)
        wanted = wanted.order_by(audit_leaves.c.seq)
        with self.record.read() as connection:
            return [json.loads(body) for body in connection.scalars(wanted)]

    def charges(self) -> list[tuple[str, int]]:
        with self.record.read() as connection:
            rows = connection.execute(select(usage.c.state, usage.c.tokens))
            return [(str(row.state), int(row.tokens)) for row in rows]

    def limit(self, **most: int | None) -> None:
        numbers: dict[str, int | None] = {"requests": None, "tokens": None} | most
        self.quotas.set_limit(SYSTEM, Limit(None, None, True, Period.DAY, **numbers))

    @contextmanager
    def client(self, gate: RecordGate | None = None, **changes: Any) -> Iterator[TestClient]:
        settings = replace(self.settings, **changes)
        gate = gate or self.with_settings(**changes)
        app = create_app(settings, Store(settings.models_dir), gate)
        with TestClient(app, base_url=URL) as client:
            yield client


@pytest.fixture(scope="session")
def models_dir() -> Path:
    folder = Path(os.environ.get("LAMPLIGHT_TEST_MODELS") or "~/.cache/lamplight/models")
    settings = RuntimeSettings(models_dir=folder.expanduser())
    puller = Puller(settings, Store(settings.models_dir), builtin_catalog())
    for name in (CHAT, EMBED):
        if not puller.is_installed(name):
            puller.pull(name, lambda _: None)
    return settings.models_dir


@pytest.fixture
def house(tmp_path: Path, models_dir: Path) -> Iterator[House]:
    governance = GovernanceSettings(data_dir=tmp_path)
    record = open_record(governance)
    runtime = RuntimeSettings(models_dir, context_length_tokens=512, gentle_threads=True)
    yield House(record, runtime, governance)
    record.close()


def bearer(key: str, **more: str) -> Headers:
    return Headers({"Authorization": f"Bearer {key}"} | more)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5"])
def test_oll_4_beyond_this_machine_every_route_asks_for_a_key(house: House, host: str) -> None:
    """What is public is what a probe needs; a placeholder is no key."""
    rows = [row for row, access in ROUTES.items() if access is not PUBLIC]
    with house.client(host=host) as http:
        for method, path in [*rows, ("GET", "/api/nothing")]:
            assert http.request(method, path).status_code == 401, path
        http.headers["Authorization"] = "Bearer ollama"
        assert http.get("/api/tags").status_code == 401
        assert http.get("/api/version").status_code == 200


def test_oll_5_a_bent_name_reaches_nothing(house: House) -> None:
    """A page that was bent to our address is refused, key or not."""
    with house.client() as http:
        assert http.get("/api/tags", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer ollama"}])
def test_programs_of_this_machine_use_models_without_a_key(
    house: House, sent: dict[str, str]
) -> None:
    """Ollama's clients send none, and OpenAI's some word."""
    visitor = house.gate.identify(Headers(sent))
    assert (visitor.principal.issuer, visitor.principal.subject) == ("runtime", "local")
    house.gate.check(visitor, USE, "GET /api/tags")
    assert house.events("access.denied") == []


@pytest.mark.parametrize("name", PROXY_HEADERS)
def test_whoever_comes_through_a_proxy_is_not_local(house: House, name: str) -> None:
    """A proxy on this machine brings others in."""
    with pytest.raises(Unauthorized):
        house.gate.identify(Headers({name: "10.0.0.7"}))


def test_a_setting_asks_local_programs_for_a_key(house: House) -> None:
    """Refused in the shape of each dialect."""
    with house.client(ask_for_key=True) as http:
        native, other = http.get("/api/tags"), http.get("/v1/models")
    assert (native.status_code, native.json()["error"]) == (401, "unauthorized")
    assert other.json()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize("verb", ["pull", "create", "copy"])
def test_prv_6_local_programs_do_not_change_models(house: House, verb: str) -> None:
    """403 with what to do, and in the trail."""
    with house.client() as http:
        answer = http.post(f"/api/{verb}", json={"model": "m"})
    assert answer.status_code == 403
    assert "runtime.local_may_manage" in answer.json()["hint"]
    [event] = house.events("access.denied")
    assert event["object"]["id"] == f"POST /api/{verb}"
    assert event["reason"] == "It came without the key of a person."


def test_prv_6_the_owner_of_a_laptop_may_open_that(house: House) -> None:
    """Then the try is recorded under its own name, and no registry is spoken to all the same."""
    with house.client(local_may_manage=True) as http:
        assert http.request("DELETE", "/api/delete", json={"model": "m"}).status_code == 404
        assert http.post("/api/pull", json={"model": "evil.example/a/b"}).status_code == 403
    [event] = house.events("model.deleted")
    assert (event["outcome"], event["object"]["id"]) == ("failed", "m")
    [event] = house.events("model.pulled")
    assert (event["outcome"], event["reason"]) == ("refused", "RegistryNotAllowed")


@pytest.mark.parametrize(
    "key", ["wrong", "lmp_abc", "lrt_wrong", "sk-proj-1234", f"{START_KEY}x", "ключ"]
)
def test_a_wrong_key_is_nobody_even_here(house: House, key: str) -> None:
    """It is never served as `local`: whoever shows a key means to be somebody."""
    raw = [(b"authorization", f"Bearer {key}".encode())]
    with pytest.raises(Unauthorized):
        house.gate.identify(Headers(raw=raw))


@pytest.mark.parametrize("name", OTHER_KEY_HEADERS)
def test_key_1_a_key_comes_one_way_only(house: House, name: str) -> None:
    """The same key by another header is not read, and not ignored either."""
    key = house.key()
    with pytest.raises(Unauthorized):
        house.gate.identify(Headers({name: key}))
    with pytest.raises(Unauthorized):
        house.gate.identify(bearer(key, **{name: key}))


@pytest.mark.parametrize("value", ["Basic bG1w", "Digest x", "lmp"])
def test_key_1_no_other_scheme_is_spoken(house: House, value: str) -> None:
    """Nor two of one."""
    with pytest.raises(Unauthorized):
        house.gate.identify(Headers({"Authorization": value}))
    twice = [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]
    with pytest.raises(Unauthorized):
        house.gate.identify(Headers(raw=twice))


def test_a_key_has_the_rights_of_its_owner(house: House) -> None:
    """As the record knows them at this moment, wherever the runtime listens."""
    key = house.key()
    for gate in (house.gate, house.with_settings(host="0.0.0.0")):
        visitor = gate.identify(bearer(key))
        gate.check(visitor, USE, "GET /api/tags")
        assert (visitor.principal.subject, visitor.is_platform) == ("ann", False)


def test_a_key_without_the_scope_is_denied_by_name(house: House) -> None:
    """Its owner could, and the event says why the key could not."""
    key = house.key(Role.ADMINISTRATOR, [Permission.POLICIES_ASK])
    visitor = house.gate.identify(bearer(key))
    with pytest.raises(Forbidden):
        house.gate.check(visitor, USE, "POST /api/chat")
    [event] = house.events("access.denied")
    assert event["reason"] == "The key does not have this scope."
    assert event["facts"] == {"permission": "models.use"}


def _digest(house: House) -> str:
    store = Store(house.settings.models_dir)
    return store.read(parse_name(CHAT)).manifest.digest


def _expire(house: House, _key: str) -> None:
    house.now = NOW + timedelta(days=2)


def _revoke(house: House, key: str) -> None:
    visitor = house.gate.identify(bearer(key))
    assert visitor.principal.key_id is not None
    house.keys.revoke(SYSTEM, visitor.principal.key_id, NOW)


def _suspend(house: House, key: str) -> None:
    person = house.gate.identify(bearer(key)).principal.person_id
    assert person is not None
    house.people.suspend(SYSTEM, person)


@pytest.mark.parametrize("end", [_expire, _revoke, _suspend])
def test_key_2_a_key_that_ended_is_401_at_once(
    house: House, end: Callable[[House, str], None]
) -> None:
    """Expired, revoked, or its owner suspended."""
    key = house.key()
    house.gate.identify(bearer(key))
    end(house, key)
    with pytest.raises(Unauthorized):
        house.gate.identify(bearer(key))


def test_owu_1_suspending_the_owner_of_a_key_ends_its_open_stream(house: House) -> None:
    """The stream says why, and nothing of the model comes after."""
    headers = bearer(house.key())
    person = house.gate.identify(headers).principal.person_id
    assert person is not None
    sent: list[Message] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}\n"
        await asyncio.to_thread(house.people.suspend, SYSTEM, person)
        await asyncio.Event().wait()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(pieces(), media_type="application/x-ndjson")(scope, receive, send)

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def nothing(_request: object) -> Response:
        raise AssertionError

    scope = {"type": "http", "method": "POST", "path": "/api/chat", "headers": headers.raw}
    route = Route("/api/chat", nothing, methods=["POST"])
    asyncio.run(Gatekeeper(app, house.gate, [route], recheck_s=0.01)(scope, never, send))
    assert json.loads(sent[-1]["body"])["error"] == "unauthorized"
    assert len(sent) == 3
    assert RECHECK_S < 5


def test_the_start_key_makes_the_headers_believed(house: House) -> None:
    """The platform says whom it asks for."""
    ids = {"X-Lamplight-Person": "p", "X-Lamplight-Department": "d", "X-Lamplight-Request": "r"}
    visitor = house.gate.identify(bearer(START_KEY, **ids))
    assert (visitor.person_id, visitor.department_id, visitor.request_id) == ("p", "d", "r")
    assert visitor.is_platform
    with pytest.raises(Forbidden):
        house.gate.check(visitor, Permission.MODELS_MANAGE, "POST /api/pull")


def test_without_the_start_key_the_headers_are_nothing(house: House) -> None:
    """Neither `local` nor a key speaks for others."""
    ids = {"X-Lamplight-Person": "p", "X-Lamplight-Department": "d", "X-Lamplight-Request": "r"}
    for headers in (Headers(ids), bearer(house.key(), **ids)):
        visitor = house.gate.identify(headers)
        assert (visitor.person_id, visitor.department_id, visitor.request_id) == (None,) * 3
        assert not visitor.is_platform


def test_aud_8_a_streamed_answer_leaves_one_event_and_one_charge(house: House) -> None:
    """Who, which model by digest, how much; no word of what was said."""
    body = {"model": CHAT, "prompt": "Kingfisher", "options": {"num_predict": 3}}
    with house.client() as http:
        lines = http.post("/api/generate", json=body).text.splitlines()
    last = json.loads(lines[-1])
    [event] = house.events("model.used")
    assert event["actor"]["iss"] == "runtime"
    assert event["actor"]["sub"] == "local"
    assert (event["object"]["id"], event["outcome"]) == (CHAT, "done")
    assert event["object"]["digest"] == _digest(house)
    counts = (last["prompt_eval_count"], last["eval_count"])
    assert (event["facts"]["prompt_tokens"], event["facts"]["answer_tokens"]) == counts
    assert event["facts"]["endpoint"] == "POST /api/generate"
    assert house.charges() == [("settled", sum(counts))]
    assert "Kingfisher" not in json.dumps(event)


@pytest.mark.parametrize("path", ["/v1/embeddings", "/api/embed"])
def test_aud_8_an_embedding_leaves_one_event(house: House, path: str) -> None:
    """By a key: its owner and its id."""
    headers = dict(bearer(house.key()))
    with house.client() as http:
        answer = http.post(path, json={"model": EMBED, "input": ["a", "b"]}, headers=headers)
    assert answer.status_code == 200
    [event] = house.events("model.used")
    assert event["actor"]["sub"] == "ann"
    assert event["actor"]["key"]
    assert event["facts"]["prompt_tokens"] > 0
    assert [state for state, _ in house.charges()] == ["settled"]


def test_a_question_of_the_platform_is_charged_and_recorded_by_the_platform_alone(
    house: House,
) -> None:
    """Here it costs nothing, however it ends."""
    headers = dict(bearer(START_KEY, **{"X-Lamplight-Request": "r"}))
    house.limit(requests=0)
    with house.client() as http:
        body = {"model": EMBED, "input": "a"}
        assert http.post("/v1/embeddings", json=body, headers=headers).status_code == 200
        assert http.post("/v1/embeddings", json=body).status_code == 429
    assert house.events("model.used") == []
    assert house.charges() == []


def test_a_request_that_names_no_model_is_neither_charged_nor_recorded(house: House) -> None:
    """No model worked."""
    with house.client() as http:
        assert http.post("/api/chat", json={"model": "nobody"}).status_code == 404
    assert house.events("model.used") == []
    assert house.charges() == []


@pytest.mark.parametrize(
    ("prompt_tokens", "answer_tokens", "charged"),
    [(0, 0, ("released", 0)), (10, 0, ("settled", 10)), (10, 5, ("settled", 15))],
)
def test_qta_1_a_use_that_was_cut_short_is_charged_once_a_model_began(
    house: House, prompt_tokens: int, answer_tokens: int, charged: tuple[str, int]
) -> None:
    """And gives back what it reserved where none did."""
    visit = Visit(house.gate.identify(Headers({})), "POST /api/chat")
    reservation = house.gate.reserve(visit, 100)
    use = Use("m", "d", prompt_tokens, answer_tokens, "failed", "Cancelled")
    house.gate.record_use(visit, use, reservation)
    assert house.charges() == [charged]
    assert [event["outcome"] for event in house.events("model.used")] == ["failed"]


def test_aud_5_a_use_is_never_charged_without_its_event(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trail that cannot be written takes the charge back."""
    visit = Visit(house.gate.identify(Headers({})), "POST /api/chat")
    reservation = house.gate.reserve(visit, 100)

    def full(*_: object) -> int:
        raise OSError("no space")

    monkeypatch.setattr(house.record.trail, "append", full)
    with pytest.raises(OSError, match="no space"):
        house.gate.record_use(visit, Use("m", "d", 10, 5), reservation)
    assert house.charges() == [("reserved", 100)]
    assert house.events("model.used") == []


def test_qta_1_over_the_limit_is_429_in_both_shapes(house: House) -> None:
    """With when to come again, and what is left, in headers that clients read."""
    house.limit(requests=1, tokens=1000)
    with house.client() as http:
        assert http.post("/api/embed", json={"model": EMBED, "input": "a"}).status_code == 200
        native = http.post("/api/embed", json={"model": EMBED, "input": "a"})
        other = http.post("/v1/chat/completions", json=ASK)
    for answer in (native, other):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) == 12 * 3600
        assert answer.headers["x-ratelimit-remaining-requests"] == "0"
        assert answer.headers["x-ratelimit-limit-tokens"] == "1000"
    assert "used up" in native.json()["error"]
    assert other.json()["error"]["type"] == "rate_limit_error"
    assert [event["reason"] for event in house.events("access.denied")] == [
        "The limit is used up."
    ] * 2


def test_qta_1_an_answer_says_what_is_left(house: House) -> None:
    """Where there is a limit; before the answer, because headers come first."""
    house.limit(requests=3)
    with house.client() as http:
        answer = http.post("/api/embed", json={"model": EMBED, "input": "a"})
    assert answer.headers["x-ratelimit-remaining-requests"] == "2"
    assert "x-ratelimit-limit-tokens" not in answer.headers
    assert limit_headers([]) == {}


def test_refusals_of_nobody_do_not_fill_the_trail(house: House) -> None:
    """So many a minute are written; the rest are counted in the next."""
    for _ in range(PER_MINUTE + 5):
        with pytest.raises(Unauthorized):
            house.gate.identify(bearer("wrong"))
    assert len(house.events("access.denied")) == PER_MINUTE
    house.now += WINDOW
    with pytest.raises(Unauthorized):
        house.gate.identify(bearer("wrong"))
    last = house.events("access.denied")[-1]
    assert last["facts"] == {"left_out": 5}
    assert last["actor"]["sub"] == "unidentified"


def test_aud_6_what_cannot_be_recorded_is_not_done(house: House) -> None:
    """503 in both dialects, with what to do; the models answer again as soon as there is room."""
    asked = {"model": EMBED, "input": "a"}
    with house.client() as http:
        assert http.post("/api/embed", json=asked).status_code == 200
        with no_room():
            for path in ("/api/embed", "/v1/embeddings"):
                refused = http.post(path, json=asked)
                assert refused.status_code == 503, path
                assert "audit trail cannot be written" in refused.text
            assert http.get("/api/tags").status_code == 200
            http.headers["Authorization"] = "Bearer wrong"
            assert http.get("/api/tags").status_code == 503
        assert http.get("/api/tags").status_code == 401
        del http.headers["Authorization"]
        assert http.post("/api/embed", json=asked).status_code == 200


def test_a_minute_begins_with_its_first_refusal() -> None:
    """A second that is late is not the next minute."""
    denials = Denials()
    taken = [denials.take(NOW + timedelta(seconds=s)) for s in [0] * PER_MINUTE + [59, 60]]
    assert taken == [0] * PER_MINUTE + [None, 1]


def test_no_key_is_written_anywhere(house: House, tmp_path: Path) -> None:
    """Neither a good one nor a bad one, in the record or in what a gate prints."""
    key, wrong = house.key(), "lmp_wrongwrongwrong"
    house.gate.identify(bearer(key))
    with pytest.raises(Unauthorized):
        house.gate.identify(bearer(wrong))
    secret = key.rpartition("_")[2].encode()
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(text in content for text in (secret, wrong.encode()) for content in files)
    assert START_KEY not in repr(house.gate)


def test_limits_of_a_key_are_its_owner_s(house: House) -> None:
    """`local` has its own."""
    house.limit(requests=1)
    visits = [
        Visit(house.gate.identify(headers), "POST /api/chat")
        for headers in (Headers({}), bearer(house.key()))
    ]
    for visit in visits:
        house.gate.reserve(visit, 1)
        with pytest.raises(LimitReached):
            house.gate.reserve(visit, 1)


class Changed(Store):
    """A store in which the chat model has a system text of somebody's own."""

    def read(self, name: ModelName) -> InstalledModel:
        model = super().read(name)
        layer = Layer(SYSTEM_TYPE, model.manifest.config.digest, 3)
        changed = make_manifest(model.manifest.config, (*model.manifest.layers, layer))
        return replace(model, manifest=changed)

    def layer_text(self, model: InstalledModel, media_type: str) -> str:
        return "" if media_type == SYSTEM_TYPE else super().layer_text(model, media_type)


@contextmanager
def changed_client(house: House) -> Iterator[tuple[TestClient, str]]:
    """A runtime whose chat model nobody approved, and that model's digest."""
    store = Changed(house.settings.models_dir)
    with TestClient(create_app(house.settings, store, house.gate), base_url=URL) as http:
        yield http, store.read(parse_name(CHAT)).manifest.digest


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("/api/generate", {"model": CHAT, "prompt": "Hi", "stream": False}),
    ("/api/generate", {"model": CHAT}),
    ("/api/chat", {"model": CHAT, "messages": [{"role": "user", "content": "Hi"}]}),
    ("/v1/chat/completions", ASK),
    ("/v1/completions", {"model": CHAT, "prompt": "Hi"}),
]


@pytest.mark.parametrize(("path", "body"), REQUESTS)
def test_apr_2_nothing_is_loaded_or_written_without_an_approval(
    house: House, path: str, body: dict[str, Any]
) -> None:
    """By digest: under its own name, the model of the catalogue with another text is another."""
    with changed_client(house) as (http, digest):
        answer = http.post(path, json=body)
        assert answer.status_code == 403
        assert "lamplight model propose" in answer.text
        assert http.get("/api/ps").json()["models"] == []
    [event] = house.events("model.refused")
    assert event["object"] == {"type": "model", "id": CHAT, "digest": digest}
    assert event["facts"]["data_class"] == "internal"
    assert house.events("model.used") == []
    assert house.charges() == []


def test_apr_2_the_refused_model_works_once_it_is_approved(house: House) -> None:
    """For everybody on this machine, because the approval is for all departments."""
    with changed_client(house) as (http, digest):
        approved(house.approvals, now=NOW, digest=digest)
        assert http.post("/v1/chat/completions", json=ASK).status_code == 200
        house.now = NOW + timedelta(days=10)
        assert http.post("/v1/chat/completions", json=ASK).status_code == 403


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 403), (1, 403)])
def test_apr_3_at_its_end_new_requests_are_refused_at_once(
    house: House, seconds: int, status: int
) -> None:
    """By the clock of the gate, to the second."""
    with changed_client(house) as (http, digest):
        end = approved(house.approvals, now=NOW, digest=digest).proposal.expires_at
        house.now = end + timedelta(seconds=seconds)
        assert http.post("/v1/chat/completions", json=ASK).status_code == status


def test_a_department_of_a_higher_class_gets_nothing_from_the_catalogue_alone(
    house: House,
) -> None:
    """The platform says for which department it asks; without one it is for all of them."""
    place = PolicyStore(house.record, house.governance).create_department(SYSTEM, "Ward").id
    other = PolicyStore(house.record, house.governance).create_department(SYSTEM, "Café").id
    classes = ClassStore(house.record, house.governance)
    classes.set_class(SYSTEM, place, DataClass.CONFIDENTIAL, "Plans")
    body = {"model": EMBED, "input": "a"}

    def asked(**more: str) -> int:
        return http.post(
            "/v1/embeddings", json=body, headers=dict(bearer(START_KEY, **more))
        ).status_code

    with house.client() as http:
        assert asked(**{"X-Lamplight-Department": place}) == 403
        assert asked(**{"X-Lamplight-Department": other}) == 200
        assert asked() == 403
        assert http.post("/v1/embeddings", json=body).status_code == 200
    assert [event["tenant"] for event in house.events("model.refused")] == [place, None]


def _block_everything(house: House, _approval: str) -> None:
    BlockStore(house.record).block(BEN, None, None, "An incident", house.now)


def _revoke_it(house: House, approval: str) -> None:
    house.approvals.revoke(BEN, approval, "It failed", house.now)


def _let_it_expire(house: House, approval: str) -> None:
    house.now = house.approvals.approval(approval).proposal.expires_at


@pytest.mark.parametrize("stop", [_block_everything, _revoke_it, _let_it_expire])
def test_apr_3_gov_3_a_running_answer_ends_with_its_approval(
    house: House, stop: Callable[[House, str], None]
) -> None:
    """Within the recheck, which is within two seconds; its last line says why."""
    store = Changed(house.settings.models_dir)
    model = store.read(parse_name(CHAT))
    approval = approved(house.approvals, now=NOW, digest=model.manifest.digest)
    meter = Meter(house.gate)
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            async with meter.charged(scope["state"]["visit"], model, 3) as tally:
                tally.began = True
                yield b"{}\n"
                await asyncio.to_thread(stop, house, approval.id)
                await asyncio.Event().wait()

        await StreamingResponse(pieces(), media_type="application/x-ndjson")(scope, receive, send)

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def nothing(_request: object) -> Response:
        raise AssertionError

    scope = {"type": "http", "method": "POST", "path": "/api/chat", "headers": []}
    route = Route("/api/chat", nothing, methods=["POST"])

    async def serve() -> None:
        await Gatekeeper(app, house.gate, [route], recheck_s=0.01)(scope, never, send)
        await meter.close()

    asyncio.run(serve())
    assert "may not be used here" in json.loads(sent[-1]["body"])["error"]
    assert RECHECK_S < 2
    [event] = house.events("model.used")
    assert event["outcome"] == "failed"
    assert [state for state, _ in house.charges()] == ["settled"]


def test_gov_1_every_digest_that_answered_is_counted_for_whom_it_answered(house: House) -> None:
    """Also what the platform asked, which it records itself."""
    place = PolicyStore(house.record, house.governance).create_department(SYSTEM, "Ward").id
    headers = dict(bearer(START_KEY, **{"X-Lamplight-Department": place}))
    with house.client() as http:
        body = {"model": EMBED, "input": "a"}
        assert http.post("/v1/embeddings", json=body, headers=headers).status_code == 200
        assert http.post("/v1/embeddings", json=body).status_code == 200
        assert http.post("/v1/chat/completions", json=ASK).status_code == 200
    answered = {event["object"]["digest"] for event in house.events("model.used")}
    with house.record.read() as connection:
        rows = connection.execute(select(model_uses)).all()
    assert {row.digest for row in rows} == answered
    assert sorted((row.department_id, row.uses) for row in rows) == [("", 1), ("", 1), (place, 1)]


def test_a_model_is_put_away_without_an_approval(house: House) -> None:
    """Whoever revoked it wants it out of memory."""
    with changed_client(house) as (http, _digest):
        assert http.post("/api/generate", json={"model": CHAT, "keep_alive": 0}).status_code == 200
    assert house.events("model.refused") == []


@pytest.mark.parametrize("name", [CHAT, EMBED])
def test_what_the_catalogue_pins_is_known_by_all_its_layers(house: House, name: str) -> None:
    """As pulled it is pinned; with one layer more, less or another it is not."""
    manifest = Store(house.settings.models_dir).read(parse_name(name)).manifest
    assert is_pinned(builtin_catalog(), manifest)
    for media_type in (SYSTEM_TYPE, TEMPLATE_TYPE, PARAMS_TYPE, ADAPTER_TYPE, MODEL_TYPE, "x/new"):
        more = Layer(media_type, f"sha256:{'0' * 64}", 3)
        assert not is_pinned(
            builtin_catalog(), make_manifest(manifest.config, (*manifest.layers, more))
        )
    less = tuple(one for one in manifest.layers if one.media_type != PARAMS_TYPE)
    same = len(less) == len(manifest.layers)
    assert is_pinned(builtin_catalog(), make_manifest(manifest.config, less)) is same
    licence = tuple(one for one in manifest.layers if one.media_type != LICENSE_TYPE)
    assert is_pinned(builtin_catalog(), make_manifest(manifest.config, licence))
