"""The description of the runtime says what its handlers do, and odd input finds no fault."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.schemas import BaseSchema
from starlette.applications import Starlette
from starlette.routing import Route

import runtime.api
from runtime.api.access import ROUTES
from runtime.api.body import Fields
from runtime.api.description import OPERATIONS, PATH, document
from runtime.api.shape import Kind, Shape

CHAT, EMBED = "smollm2:135m", "all-minilm"
EXAMPLES = int(os.environ.get("OLL_EXAMPLES", "25"))  # for each operation and kind of input
MOST_TOKENS = 4
CONTEXT = 512
HI = [{"role": "user", "content": "Hi"}]
# A request of each kind that is in order, so that every field is looked at.
GOOD: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/api/generate"): {"model": CHAT, "prompt": "Hi"},
    ("POST", "/api/chat"): {"model": CHAT, "messages": HI},
    ("POST", "/api/embed"): {"model": EMBED, "input": "Hi"},
    ("POST", "/api/show"): {},
    ("POST", "/api/create"): {"model": "made", "from": CHAT, "stream": False},
    ("POST", "/api/copy"): {"source": CHAT, "destination": "copied"},
    ("POST", "/api/pull"): {"model": CHAT, "stream": False},
    ("POST", "/api/push"): {"model": CHAT, "stream": False},
    ("POST", "/v1/chat/completions"): {"model": CHAT, "messages": HI},
    ("POST", "/v1/embeddings"): {"model": EMBED, "input": "Hi"},
    ("POST", "/v1/rerank"): {"model": EMBED, "query": "Hi", "documents": ["Hi"]},
    ("POST", "/api/embeddings"): {"model": EMBED, "prompt": "Hi"},
    ("POST", "/api/tokenize"): {"model": CHAT, "content": "Hi"},
    ("POST", "/api/detokenize"): {"model": CHAT, "tokens": [1]},
    ("POST", "/v1/completions"): {"model": CHAT, "prompt": "Hi", "max_tokens": 2},
    ("POST", "/v1/responses"): {"model": CHAT, "input": "Hi", "max_output_tokens": 2},
    ("POST", "/v1/messages"): {"model": CHAT, "messages": HI, "max_tokens": 2},
}
WRONG: dict[Kind, Any] = {
    Kind.TEXT: 1,
    Kind.FLAG: "yes",
    Kind.INTEGER: "one",
    Kind.NUMBER: "one",
    Kind.ITEMS: {"a": 1},
    Kind.OBJECT: [1],
    Kind.ANY: {"a": True},
}
# Read only where a field before them is missing; or of any kind at all.
ALONE = {"name": ("model",), "quantization": ("quantize",)}
ANYTHING = {"format", "tool_choice"}
# Allowed and refused before the flag is read: no registry is allowed here.
NOT_REACHED = {("POST", "/api/push"): {"stream"}}
CHANGES = ("/api/create", "/api/copy", "/api/pull", "/api/push", "/api/delete")


@pytest.fixture(scope="session")
def schema(base_url: str) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{base_url}{PATH}")


def shapes_of(shape: Shape, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Kind]]:
    """Every field of a request that is no list's, by its path, with its kind."""
    for name, one in shape.fields.items():
        yield (*names, name), one.kind
        if one.inside is not None and one.kind is Kind.OBJECT:
            yield from shapes_of(one.inside, (*names, name))


FIELDS = [
    (row, names, kind)
    for row, operation in OPERATIONS.items()
    if operation.body is not None
    for names, kind in shapes_of(operation.body)
]


def test_every_route_is_described_and_nothing_else(app: Starlette) -> None:
    """A new route without a description is found here."""
    routes = [route for route in app.routes if isinstance(route, Route)]
    served = {(method, route.path) for route in routes for method in route.methods or ()}
    assert served == set(OPERATIONS) == set(ROUTES)


def test_the_description_is_valid(http: httpx.Client) -> None:
    """OpenAPI 3.1, and each request a JSON schema."""
    found = http.get(PATH).json()
    assert found == document(found["info"]["version"])
    assert found["openapi"] == "3.1.0"
    for path in found["paths"].values():
        for operation in path.values():
            for part in (operation.get("requestBody"), *operation["responses"].values()):
                for media in (part or {}).get("content", {}).values():
                    Draft202012Validator.check_schema(media["schema"])


@pytest.mark.parametrize(
    ("row", "names", "kind"), FIELDS, ids=["".join(row) + "." + ".".join(n) for row, n, _ in FIELDS]
)
def test_every_described_field_is_read(
    http: httpx.Client, row: tuple[str, str], names: tuple[str, ...], kind: Kind
) -> None:
    """A value of another kind is refused: nobody looks away from what is described."""
    if (names[-1] in ANYTHING and kind is Kind.ANY) or names[-1] in NOT_REACHED.get(row, ()):
        return
    body = {k: v for k, v in GOOD.get(row, {}).items() if k not in ALONE.get(names[-1], ())}
    inner = body
    for name in names[:-1]:
        inner = inner.setdefault(name, {"type": "json_schema"} if "format" in name else {})
    inner[names[-1]] = WRONG[kind]
    answer = http.request(row[0], row[1], json=body)
    assert answer.status_code == 400, answer.text


def test_no_field_is_read_that_is_not_described() -> None:
    """Neither an unknown one nor one as another kind."""
    shape = next(one.body for one in OPERATIONS.values() if one.body is not None)
    fields = Fields({"unknown": 1}, shape)
    with pytest.raises(KeyError):
        fields.get("unknown")
    with pytest.raises(AssertionError):
        fields.flag("model", default=False)


def test_no_handler_looks_into_a_body_past_its_shape() -> None:
    """Only one file holds the values as they came."""
    folder = Path(runtime.api.__file__).parent
    readers = [path.name for path in folder.glob("*.py") if "json.loads" in path.read_text()]
    assert sorted(readers) == ["body.py", "listing.py"]
    assert not re.search(r"json\.loads\((?!text\))", (folder / "listing.py").read_text())


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        (*row, mode)
        for row, operation in OPERATIONS.items()
        for mode in GenerationMode
        # Where nothing is sent nothing can be wrong.
        if operation.body is not None or mode is GenerationMode.POSITIVE
    ],
)
def test_no_operation_fails_on_odd_input(
    schema: BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    """Described input gets a described answer, and other input a refusal; never a fault."""
    operation = schema[path.replace(":path}", "}")][method]

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.sampled_from([CHAT, EMBED, None]))
    def call(case: Case, name: str | None) -> None:
        case.body = changing(case.body) if path in CHANGES else bounded(case.body, name)
        answer = case.call(timeout=120)
        assert answer.status_code < 500, (case.body, answer.status_code, answer.text[:300])
        if mode is GenerationMode.POSITIVE:
            case.validate_response(answer, checks=[schemathesis.checks.response_schema_conformance])

    call()


def changing(body: Any) -> Any:
    """The same without a name that other tests need; quantizing takes too long."""
    if not isinstance(body, dict):
        return body
    left_out = {"quantize", "quantization"}
    return {key: value for key, value in body.items() if key not in left_out}


def bounded(body: Any, name: str | None) -> Any:
    """The same with a model that is there, and no longer an answer than the test has time for."""
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if name is not None and "model" in body:
        body["model"] = name
    options = body.get("options")
    if options is None or isinstance(options, dict):
        options = dict(options or {}) | {"num_predict": MOST_TOKENS}
        context = options.get("num_ctx")
        if context is None or isinstance(context, int | float):
            options["num_ctx"] = min(context or CONTEXT, CONTEXT)
        body["options"] = options
    for longest in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        # Below zero there is no limit but ten contexts, which takes minutes.
        if body.get(longest) is None or (isinstance(body[longest], int) and body[longest] != 0):
            body[longest] = MOST_TOKENS
    return body
