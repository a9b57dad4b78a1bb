"""Models that other servers answer for: approved by what was declared of them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from governance.testing_approvals import approved
from lamplight.errors import BadSetting
from lamplight.installing import model_store
from lamplight.model_shelf import ModelShelf
from lamplight.settings import load_settings
from lamplight.testing_gate import NOW, URL, House
from runtime.api.app import create_app
from runtime.testing_upstream import served
from runtime.upstream_config import read_upstreams
from runtime.upstream_store import UpstreamStore

NAME = "ward:7b"
ASK = {"model": NAME, "messages": [{"role": "user", "content": "Hi"}], "stream": False}
EVENT = (
    'data: {"model": "there", "choices": [{"index": 0, "delta": {"content": "Yes."},'
    ' "finish_reason": "stop"}], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\n'
    "data: [DONE]\n\n"
)


class Production:
    """A server in OpenAI's form. bodies: what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def app(self) -> Starlette:
        """The application."""
        routes = [
            Route("/v1/models", self.models),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def models(self, _request: Request) -> Response:
        return JSONResponse({"data": [{"id": "there"}]})

    async def chat(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        return PlainTextResponse(EVENT, media_type="text/event-stream")


@pytest.fixture
def production() -> Production:
    """A server that notes what it is asked."""
    return Production()


@contextmanager
def client(house: House, production: Production) -> Iterator[tuple[TestClient, str]]:
    """A runtime before that server, and the digest of its model."""
    with ExitStack() as closing:
        url = closing.enter_context(served(production.app()))
        upstreams = read_upstreams(f"{NAME} {url}/v1 model=there")
        settings = replace(house.settings, upstreams=upstreams)
        store = UpstreamStore(settings.models_dir, (), upstreams)
        app = create_app(settings, store, house.gate)
        http = closing.enter_context(TestClient(app, base_url=URL))
        [digest] = [one.manifest.digest for one in store.models() if str(one.name) == NAME]
        yield http, digest


def test_apr_2_nothing_is_sent_without_an_approval(house: House, production: Production) -> None:
    """The refusal is recorded with the digest, and the server hears nothing."""
    with client(house, production) as (http, digest):
        assert http.post("/api/chat", json=ASK).status_code == 403
    assert production.bodies == []
    [event] = house.events("model.refused")
    assert digest in str(event)


def test_apr_1_an_approval_of_the_digest_lets_it_answer(
    house: House, production: Production
) -> None:
    """And what it did is charged and recorded as with any other model."""
    with client(house, production) as (http, digest):
        approved(house.approvals, now=NOW, digest=digest)
        answer = http.post("/api/chat", json=ASK)
    assert answer.json()["message"]["content"] == "Yes."
    assert house.charges() == [("settled", 7)]
    assert len(production.bodies) == 1


def test_one_setting_moves_a_model(tmp_path: Path) -> None:
    """In the environment a line, in the file a table; the platform knows the digest of both."""
    line = f"{NAME} https://gpu.example/v1 model=there"
    by_line = load_settings(tmp_path, environment={"LAMPLIGHT_RUNTIME_UPSTREAMS": line})
    (tmp_path / "lamplight.toml").write_text(
        f'[runtime.upstreams."{NAME}"]\nurl = "https://gpu.example/v1"\nmodel = "there"\n'
    )
    by_file = load_settings(tmp_path, environment={})
    assert by_line.runtime.upstreams == by_file.runtime.upstreams
    known = [ModelShelf(model_store(one), one.rag).find(NAME) for one in (by_line, by_file)]
    assert known[0] is not None
    assert known[0] == known[1]
    assert not known[0].pinned


def test_a_bad_upstream_is_refused_by_name(tmp_path: Path) -> None:
    """At the start, with what to do."""
    with pytest.raises(BadSetting, match="without encryption") as caught:
        load_settings(tmp_path, environment={"LAMPLIGHT_RUNTIME_UPSTREAMS": "a http://gpu/v1"})
    assert "https" in caught.value.hint
