"""The processes of compose.yaml, with what it sets, on this machine in place of containers.

No container engine and no Qdrant server is used: the index is the embedded one. What is shared with
workers and a second web process is in test_distributed.py.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from governance.testing import postgresql_cluster
from lamplight.supervisor import free_port, lamplight_command
from lamplight.testing import HOST, SMALL_CHAT_MODEL, run_with, wait_for
from lamplight.testing_containers import environment_of, service

COMPOSE = Path(__file__).parent.parent.parent / "compose.yaml"
GIVEN = {
    "POSTGRES_PASSWORD": "secret",
    "QDRANT_API_KEY": "key",
    "LAMPLIGHT_CHAT_MODEL": SMALL_CHAT_MODEL,
}
# With an index of its own the web process is alone, and loads files itself.
NOT_EMBEDDED = (
    "LAMPLIGHT_QDRANT_URL",
    "LAMPLIGHT_RAG_QDRANT_API_KEY",
    "LAMPLIGHT_RUN",
    "LAMPLIGHT_INGEST_PARALLEL_FILES",
)
WAIT_S = 180


@contextmanager
def process(name: str, environment: dict[str, str], log: Path) -> Iterator[None]:
    """A service of the compose file as a process."""
    arguments = service(COMPOSE, name)["command"]
    with log.open("w") as file:
        one = subprocess.Popen(
            lamplight_command(*arguments[1:]),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=environment,
        )
    try:
        yield
    except AssertionError as error:
        error.add_note(log.read_text()[-4000:])
        raise
    finally:
        one.send_signal(signal.SIGTERM)
        # It drains, then ends by the signal, as its parent expects.
        assert one.wait(60) in (0, -signal.SIGTERM), log.read_text()[-4000:]


def test_a_question_is_answered_by_two_services_and_postgresql(data_dir: Path) -> None:
    """The pages reach the runtime, both reach the record, and a loaded file answers."""
    runtime_port, web_port = free_port(HOST), free_port(HOST)
    runtime = f"http://{HOST}:{runtime_port}"
    with postgresql_cluster() as cluster:
        here = {
            "LAMPLIGHT_DATA": str(data_dir),
            "LAMPLIGHT_DATABASE_URL": cluster.create("lamplight"),
            "LAMPLIGHT_RAG_RUNTIME_URL": f"{runtime}/",
            "LAMPLIGHT_CHAT_URL": f"{runtime}/v1",
            "LAMPLIGHT_EMBED_URL": f"{runtime}/v1",
            "LAMPLIGHT_WEB_HOST": HOST,
            "LAMPLIGHT_WEB_PORT": str(web_port),
            "LAMPLIGHT_RUNTIME_HOST": HOST,
            "LAMPLIGHT_RUNTIME_PORT": str(runtime_port),
        }

        def environment(name: str) -> dict[str, str]:
            told = environment_of(service(COMPOSE, name), GIVEN) | here
            for setting in NOT_EMBEDDED:
                told.pop(setting, None)
            return {**os.environ, **told}

        web = environment("web")
        for model in ("all-minilm", SMALL_CHAT_MODEL):
            assert run_with(web, "pull", model).returncode == 0
        with (
            process("runtime", environment("runtime"), data_dir / "runtime.log"),
            process("web", web, data_dir / "web.log"),
        ):
            wait_for(f"{runtime}/api/version", timeout_s=WAIT_S)
            wait_for(f"http://{HOST}:{web_port}/readyz", timeout_s=WAIT_S)
            policy = data_dir / "trolley.md"
            policy.write_text("# Trolley\n\nStaff check the crash trolley twice a day.\n")
            loaded = run_with(web, "ingest", str(policy), "--department", "ward", "--publish")
            assert loaded.returncode == 0, loaded.stdout + loaded.stderr
            asked = ("key", "create", "--name", "tests", "--department", "ward")
            key = run_with(web, *asked).stdout.strip()
            answer = httpx.post(
                f"http://{HOST}:{web_port}/v1/chat/completions",
                headers={"Authorization": f"Bearer {key}"},
                json={
                    "model": "policies",
                    "messages": [{"role": "user", "content": "How often is the trolley checked?"}],
                },
                timeout=WAIT_S,
                trust_env=False,
            )
            assert answer.status_code == 200, answer.text
            assert "twice a day" in answer.text
