"""No model answers without an approval: at the gate, by digest, from one second to the next."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from governance.data_classes import DataClass
from governance.department_classes import ClassStore
from governance.events import SYSTEM
from governance.model_blocks import BlockStore
from governance.policies import PolicyStore
from governance.record.model_tables import model_uses
from governance.testing_approvals import BEN, approved
from lamplight.gate import RecordGate
from lamplight.pinned import is_pinned
from lamplight.testing_gate import ASK, CHAT, EMBED, NOW, START_KEY, URL, House, bearer
from runtime.api.app import create_app
from runtime.api.gatekeeper import RECHECK_S, Gatekeeper
from runtime.api.meter import Meter
from runtime.catalog import builtin_catalog
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
from runtime.store import InstalledModel, Store


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


def test_apr_2_nothing_but_the_gates_own_check_refuses_here(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutant without it serves the model that nobody approved, so the test above would fail."""
    monkeypatch.setattr(RecordGate, "approve", lambda *_: None)
    with changed_client(house) as (http, _digest):
        assert http.post("/v1/chat/completions", json=ASK).status_code == 200
    assert house.events("model.refused") == []


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
