"""What a use of a model costs at the gate, and that it is never charged without its event."""

import json

import pytest
from starlette.datastructures import Headers

from governance.audit.testing import no_room
from lamplight.testing_gate import ASK, CHAT, EMBED, House, bearer
from runtime.api.gate import Use, Visit
from runtime.api.refusal import LimitReached
from runtime.names import parse_name
from runtime.store import Store
from web.limit_headers import limit_headers


def _digest(house: House) -> str:
    store = Store(house.settings.models_dir)
    return store.read(parse_name(CHAT)).manifest.digest


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
