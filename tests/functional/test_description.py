"""Every operation that the API describes answers odd input with a refusal, never with a fault."""

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.schemas import BaseSchema

from lamplight.testing import lamplight

EXAMPLES = 15  # for each operation


def test_no_operation_fails_on_odd_input() -> None:
    """Whatever an administrator's key sends, there is an answer or a refusal."""
    with lamplight("--no-samples") as running:
        headers = {"Authorization": f"Bearer {running.key}"}
        schema = schemathesis.openapi.from_url(f"{running.url}/api/openapi.json", headers=headers)
        called = [check(schema, headers, label) for label in labels(schema)]
    assert len(called) > 20


def labels(schema: BaseSchema) -> list[str]:
    return [operation.ok().label for operation in schema.get_all_operations()]


def check(schema: BaseSchema, headers: dict[str, str], label: str) -> str:
    method, path = label.split(" ", 1)

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy())
    def call(case: Case) -> None:
        answer = case.call(headers=headers, timeout=60)
        assert answer.status_code < 500, (label, case.body, answer.status_code, answer.text[:300])

    call()
    return label
