"""Words that somebody typed are found nowhere but, encrypted, where a department keeps them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from governance.config import GovernanceSettings
from governance.events import Actor
from governance.record.database import open_record
from governance.retention import RetentionStore
from governance.retention_rules import RetentionMode
from governance.secrets import Secrets
from governance.vault import Vault
from lamplight.testing import SMALL_CHAT_MODEL, Running, lamplight

OWNER = Actor("local", "owner", "socket")
DAYS = 30
Call = tuple[str, str, str, object]


@pytest.fixture(scope="module")
def kept() -> Iterator[Running]:
    """A Lamplight whose department changes what it keeps of questions."""
    with lamplight() as running:
        yield running


def set_mode(running: Running, mode: RetentionMode) -> None:
    """Let the department keep so much; what keeps more is agreed to by the administrator."""
    settings = GovernanceSettings(data_dir=running.data_dir)
    with running.client() as client:
        people = client.get("/api/v1/people").json()["people"]
    record = open_record(settings)
    try:
        store = RetentionStore(record, Vault(Secrets(settings.keys_dir)), settings)
        with record.read() as connection:
            [place] = connection.exec_driver_sql("SELECT id FROM departments").scalars()
        second, now = Actor("local", "tester", "password", people[0]["id"]), datetime.now(UTC)
        if store.propose(OWNER, place, mode, DAYS, now).proposal is not None:
            store.agree(second, place, mode, DAYS, now)
        assert store.rule(place, now).mode is mode
    finally:
        record.close()


def calls(running: Running, canary: str) -> list[Call]:
    """Every way to type something, right ones and wrong ones."""
    question = f"How long does the scrub take for {canary}?"
    message = [{"role": "user", "content": question}]
    few = {"max_tokens": 8}
    short = {"options": {"num_predict": 8}, "stream": False}
    platform, runtime = running.url, running.runtime_url
    return [
        ("POST", platform, "/api/v1/ask", {"question": question}),
        ("POST", platform, "/api/v1/search", {"query": question}),
        ("GET", platform, f"/search?q={canary}", None),
        ("POST", platform, "/v1/chat/completions", {"model": "policies", "messages": message}),
        (
            "POST",
            platform,
            "/v1/chat/completions",
            {"model": SMALL_CHAT_MODEL, **few} | {"messages": message},
        ),
        ("POST", runtime, "/api/chat", {"model": SMALL_CHAT_MODEL, "messages": message, **short}),
        (
            "POST",
            runtime,
            "/api/generate",
            {"model": SMALL_CHAT_MODEL, "prompt": question, **short},
        ),
        ("POST", runtime, "/api/embed", {"model": "all-minilm", "input": question}),
    ]


def wrong_calls(running: Running, canary: str) -> list[Call]:
    """Requests that are refused; none of these answers may say the words again."""
    message = [{"role": "user", "content": canary}]
    platform, runtime = running.url, running.runtime_url
    return [
        ("POST", platform, "/api/v1/ask", {"question": [canary]}),
        ("POST", platform, "/api/v1/ask", {"question": canary * 4000}),
        ("POST", platform, "/api/v1/search", {"query": canary, "k": 10_000}),
        ("POST", platform, "/api/v1/search", {"query": {"text": canary}}),
        ("POST", platform, "/v1/chat/completions", {"model": "no-such", "messages": message}),
        ("POST", platform, "/v1/chat/completions", {"model": "policies", "messages": canary}),
        ("POST", runtime, "/api/chat", {"model": "no-such", "messages": message}),
        ("POST", runtime, "/api/chat", {"model": SMALL_CHAT_MODEL, "messages": canary}),
        ("POST", runtime, "/api/generate", {"model": SMALL_CHAT_MODEL, "prompt": [canary]}),
    ]


def send(running: Running, call: Call) -> httpx.Response:
    """One request, with the administrator's key where the platform is asked."""
    method, base, path, body = call
    headers = {"Authorization": f"Bearer {running.key}"} if base == running.url else {}
    return httpx.request(
        method, base + path, json=body, headers=headers, timeout=300, trust_env=False
    )


def files_with(folder: Path, words: bytes) -> list[str]:
    """Every file below with these bytes in it, logs and databases included."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and words in path.read_bytes():
            found.append(str(path.relative_to(folder)))
    return found


@pytest.mark.parametrize("mode", RetentionMode)
def test_ret_4_what_is_typed_is_in_no_byte_of_the_data_directory(
    kept: Running, mode: RetentionMode
) -> None:
    """In no mode, because kept text is encrypted; nor in metrics or in what a refusal says."""
    canary = f"zqcanary{mode}zq"
    kept.sign_up()
    set_mode(kept, mode)
    for call in calls(kept, canary):
        assert send(kept, call).status_code == 200, call
    for call in wrong_calls(kept, canary):
        refused = send(kept, call)
        assert refused.status_code in range(400, 500), call
        assert canary not in refused.text, call
    with kept.client() as client:
        metrics = client.get("/metrics")
        assert metrics.status_code == 200
        assert canary not in metrics.text
    assert files_with(kept.data_dir, canary.encode()) == []
