"""The runtime's gate on a real record: who comes in, what is charged, and what the trail says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from governance.denials import PER_MINUTE, WINDOW, Denials
from governance.events import SYSTEM
from governance.permissions import Permission, Role
from lamplight.gate import OTHER_KEY_HEADERS, PROXY_HEADERS
from lamplight.testing_gate import EMBED, NOW, START_KEY, USE, House, bearer
from runtime.api.access import PUBLIC, ROUTES
from runtime.api.gatekeeper import RECHECK_S, Gatekeeper
from runtime.api.refusal import Forbidden, Unauthorized


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
