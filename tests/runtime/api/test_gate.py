"""Nobody reaches a model past the gate: every route, every method, and streams under way."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import runtime
from governance.permissions import Permission
from runtime.api.access import PUBLIC, ROUTES
from runtime.api.app import create_app
from runtime.api.gate import Change, Visitor
from runtime.api.gatekeeper import Gatekeeper
from runtime.api.refusal import Forbidden, Unauthorized
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.store import Store

LOCAL_URL = "http://127.0.0.1:11434"


class ClosedGate(OpenGate):
    """Knows nobody."""

    def identify(self, _headers: Headers) -> Visitor:
        raise Unauthorized("Send a key.")


class UsersOnly(OpenGate):
    """Lets everybody use models, and nothing else."""

    def check(self, _visitor: Visitor, permission: Permission, endpoint: str) -> None:
        if permission is not Permission.MODELS_USE:
            raise Forbidden(f"not you ({permission})", f"Leave {endpoint} alone.")


class WithdrawnGate(OpenGate):
    """Lets a request in once, and not the second time it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def check(self, _visitor: Visitor, _permission: Permission, _endpoint: str) -> None:
        self.asked += 1
        if self.asked > 1:
            raise Forbidden("withdrawn", "Ask for the right again.")


@contextmanager
def client(models_dir: Path, gate: OpenGate, host: str = "127.0.0.1") -> Iterator[TestClient]:
    settings = RuntimeSettings(models_dir=models_dir, host=host)
    app = create_app(settings, Store(models_dir), gate)
    with TestClient(app, base_url=LOCAL_URL) as made:
        yield made


def routes_of(models_dir: Path) -> list[Route]:
    app = create_app(RuntimeSettings(models_dir=models_dir), Store(models_dir), OpenGate())
    return [route for route in app.routes if isinstance(route, Route)]


def test_oll_4_every_route_has_a_row_and_every_row_a_route(tmp_path: Path) -> None:
    """A new route without a row would be refused to everybody, and is found here first."""
    served = {(m, route.path) for route in routes_of(tmp_path) for m in route.methods or ()}
    assert served == set(ROUTES)


def test_oll_4_only_four_rows_are_public() -> None:
    """Probes, and nothing that tells of models or people."""
    public = {row for row, access in ROUTES.items() if access is PUBLIC}
    assert public == {(m, p) for m in ("GET", "HEAD") for p in ("/", "/api/version")}


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_oll_4_without_a_credential_every_other_route_is_401(tmp_path: Path, host: str) -> None:
    """Also a path that is no route, a wrong method, and other spellings of a path."""
    walk = [row for row, access in ROUTES.items() if access is not PUBLIC]
    walk += [("GET", "/api/nothing"), ("DELETE", "/api/tags"), ("OPTIONS", "/api/chat")]
    walk += [("GET", "//api/tags"), ("GET", "/api/tags/"), ("GET", "/api/%74ags"), ("PUT", "/")]
    with client(tmp_path, ClosedGate(), host) as http:
        for method, path in walk:
            answer = http.request(method, path.replace("{model:path}", "m"))
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        public = [row for row, access in ROUTES.items() if access is PUBLIC]
        assert {http.request(*row).status_code for row in public} == {200}


def test_the_refusal_is_in_the_shape_of_its_dialect(tmp_path: Path) -> None:
    """Ollama's clients read a text, OpenAI's an object."""
    with client(tmp_path, ClosedGate()) as http:
        native, openai = http.get("/api/tags").json(), http.get("/v1/models").json()
    assert native == {"error": "unauthorized", "hint": "Send a key."}
    assert openai["error"] == {
        "message": "unauthorized Send a key.",
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }


def test_prv_6_models_are_managed_with_the_right_alone(tmp_path: Path) -> None:
    """Whoever may only use models gets 403, with what to do."""
    rows = [row for row, access in ROUTES.items() if access is Permission.MODELS_MANAGE]
    with client(tmp_path, UsersOnly()) as http:
        answers = [http.request(*row, json={"model": "m"}) for row in rows]
        assert http.get("/api/tags").status_code == 200
    assert {answer.status_code for answer in answers} == {403}
    told = [answer for answer in answers if answer.request.method != "HEAD"]
    assert all(answer.json()["hint"] for answer in told)
    assert len(rows) == 7


def test_prv_6_no_registry_is_spoken_to_unless_the_settings_name_it(tmp_path: Path) -> None:
    """Also who may manage models gets 403 with what to set, and the try is recorded."""
    gate = OpenGate()
    with client(tmp_path, gate) as http:
        answer = http.post("/api/pull", json={"model": "nobody:1"})
    assert answer.status_code == 403
    assert "LAMPLIGHT_RUNTIME_ALLOWED_REGISTRIES" in answer.json()["hint"]
    assert gate.changes == [
        Change("pull", "nobody:1", outcome="refused", reason="RegistryNotAllowed")
    ]
    assert Store(tmp_path).models() == []


def test_oll_5_a_bent_name_is_refused_before_the_gate_is_asked(tmp_path: Path) -> None:
    """DNS rebinding shows in the Host header; a page of another origin in Origin."""
    with client(tmp_path, OpenGate()) as http:
        assert http.get("/api/tags", headers={"Host": "evil.example"}).status_code == 403
        assert http.get("/api/tags", headers={"Origin": "http://evil.example"}).status_code == 403
        assert http.get("/api/tags").status_code == 200


def test_a_route_without_a_row_is_refused_to_everybody() -> None:
    """Absent means denied."""

    async def endpoint(_request: object) -> Response:
        return Response("secret")

    route = Route("/forgotten", endpoint)
    http = TestClient(Gatekeeper(route.app, OpenGate(), [route]))
    answer = http.get("/forgotten")
    assert (answer.status_code, "secret" in answer.text) == (403, False)


def test_the_open_gate_serves_nobody() -> None:
    """It is named where it is made, and in tests."""
    root = Path(runtime.__file__).parent.parent
    packages = ("governance", "ingest", "lamplight", "rag", "runtime", "web")
    users = [
        path.relative_to(root).as_posix()
        for package in packages
        for path in (root / package).rglob("*.py")
        if "OpenGate" in path.read_text()
    ]
    assert sorted(users) == ["runtime/api/testing.py", "runtime/testing_streams.py"]


def test_a_web_socket_is_not_spoken_to() -> None:
    """We serve none, so none is let past the gate."""
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    asyncio.run(Gatekeeper(app, OpenGate(), [])({"type": "websocket"}, _silence, _nowhere))
    assert seen == []


@pytest.mark.parametrize(
    ("path", "media_type", "last"),
    [
        ("/api/chat", "application/x-ndjson", b'{"error":"withdrawn","hint":"Ask'),
        ("/v1/chat/completions", "text/event-stream", b'data: {"error":{"message":"withdrawn Ask'),
    ],
)
def test_owu_1_a_withdrawn_right_ends_a_stream_under_way(
    path: str, media_type: str, last: bytes
) -> None:
    """The work is stopped, and the stream ends by saying why."""
    stopped = asyncio.Event()

    async def forever() -> Any:
        try:
            yield b"first\n"
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(forever(), media_type=media_type)(scope, receive, send)

    sent = _serve(endpoint, WithdrawnGate(), path)
    assert stopped.is_set()
    assert sent[1]["body"] == b"first\n"
    assert sent[-1]["body"].startswith(last)
    assert sent[-1]["more_body"] is False


def test_the_last_line_of_a_refused_stream_is_whole_json() -> None:
    """Ollama's clients parse every line."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        async def forever() -> Any:
            yield b"{}\n"
            await asyncio.Event().wait()

        response = StreamingResponse(forever(), media_type="application/x-ndjson")
        await response(scope, receive, send)

    sent = _serve(endpoint, WithdrawnGate(), "/api/chat")
    assert json.loads(sent[-1]["body"])["error"] == "withdrawn"


def test_owu_1_a_withdrawn_right_ends_a_request_that_has_no_answer_yet() -> None:
    """It gets the status as if it came now."""

    async def endpoint(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    sent = _serve(endpoint, WithdrawnGate(), "/api/chat")
    assert sent[0]["status"] == 403


def test_an_error_of_the_application_is_not_swallowed() -> None:
    """It must reach the handler that logs it."""

    async def endpoint(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _serve(endpoint, OpenGate(), "/api/chat")


async def _silence() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def _nowhere(_message: Message) -> None:
    raise AssertionError


def _serve(endpoint: ASGIApp, gate: OpenGate, path: str) -> Sequence[Message]:
    """What one request gets, with a look at its right every few milliseconds."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def inert(_request: object) -> Response:
        raise AssertionError

    route = Route(path, inert, methods=["POST"])
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
    keeper = Gatekeeper(endpoint, gate, [route], recheck_s=0.01)
    asyncio.run(keeper(scope, _silence, send))
    return sent
