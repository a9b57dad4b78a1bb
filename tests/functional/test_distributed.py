"""The distributed form on this machine: two web processes, two workers, PostgreSQL and Qdrant.

A stand-in takes the place of the Qdrant server: the client's own store behind the server's routes.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.testing import postgresql_cluster
from lamplight.client import PlatformClient
from lamplight.supervisor import free_port, lamplight_command
from lamplight.testing import HOST, SMALL_CHAT_MODEL, run_with, wait_for
from rag.testing_qdrant import qdrant_stand_in

FILES = 5
SECTIONS = 6
WAIT_S = 180
STOP_S = 60
POLL_S = 0.1
NEW_RULE = "The crash trolley is checked three times a day by the nurse in charge."


@dataclass
class Site:
    """The processes by name, and what each was told."""

    environment: Mapping[str, str]
    data_dir: Path
    processes: dict[str, "subprocess.Popen[bytes]"]
    clients: list[PlatformClient]

    def told(self, name: str) -> dict[str, str]:
        """The environment of one process: a place of its own for lock and socket."""
        files = "0" if name.startswith("web") else "1"
        own = {
            "LAMPLIGHT_RUN": str(self.data_dir / name),
            "LAMPLIGHT_INGEST_PARALLEL_FILES": files,
        }
        return {**self.environment, **own}

    @contextmanager
    def running(self, name: str, *arguments: str, **more: str) -> Iterator[None]:
        """A process for the length of the block; it ends well unless it was killed."""
        log = self.data_dir / f"{name}.log"
        with log.open("w") as file:
            one = subprocess.Popen(
                lamplight_command(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self.told(name) | more,
            )
        self.processes[name] = one
        try:
            yield
        except BaseException as error:
            error.add_note(f"{name}:\n{log.read_text()[-2000:]}")
            raise
        finally:
            one.send_signal(signal.SIGTERM)
            ended = one.wait(STOP_S)
            assert ended in (0, -signal.SIGTERM, -signal.SIGKILL), log.read_text()[-4000:]

    @contextmanager
    def client(self, name: str) -> Iterator[None]:
        """A web process, spoken to as the owner of the machine."""
        made = PlatformClient(self.data_dir / name / "admin.sock")
        self.clients.append(made)
        try:
            yield
        finally:
            made.close()


@contextmanager
def site(data_dir: Path) -> Iterator[Site]:
    """All of it at work."""
    with ExitStack() as stack:
        cluster = stack.enter_context(postgresql_cluster())
        qdrant = stack.enter_context(qdrant_stand_in())
        port, runtime_port = free_port(HOST), free_port(HOST)
        runtime = f"http://{HOST}:{runtime_port}"
        environment = {
            **os.environ,
            "LAMPLIGHT_DATA": str(data_dir),
            "LAMPLIGHT_DATABASE_URL": cluster.create("lamplight"),
            "LAMPLIGHT_QDRANT_URL": qdrant,
            "LAMPLIGHT_CHAT_MODEL": SMALL_CHAT_MODEL,
            "LAMPLIGHT_RUNTIME_PORT": str(runtime_port),
        }
        assert run_with(environment, "pull", "all-minilm").returncode == 0
        made = Site(environment, data_dir, {}, [])
        stack.enter_context(made.running("runtime", "serve"))
        wait_for(f"{runtime}/api/version", timeout_s=WAIT_S)
        ports = {"web-a": port, "web-b": free_port(HOST)}
        # Both at once, on an empty database: each makes what the other has not.
        for name, own in ports.items():
            stack.enter_context(made.running(name, "web", LAMPLIGHT_WEB_PORT=str(own)))
        for name in ("worker-1", "worker-2"):
            stack.enter_context(made.running(name, "worker"))
        for own in ports.values():
            wait_for(f"http://{HOST}:{own}/healthz", timeout_s=WAIT_S)
        for name in ports:
            stack.enter_context(made.client(name))
        yield made


def write_policies(folder: Path) -> list[Path]:
    """Files that are long enough to be killed over."""
    folder.mkdir()
    paths = []
    for number in range(FILES):
        sections = "\n\n".join(
            f"## Duty {part}\n\n" + f"Rule {number} of duty {part}: wash hands and note it. " * 12
            for part in range(SECTIONS)
        )
        path = folder / f"policy-{number}.md"
        path.write_text(f"# Policy {number}\n\n{sections}\n")
        paths.append(path)
    return paths


def jobs(client: PlatformClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/jobs")["jobs"]
    return found


def wait_until_loading(client: PlatformClient) -> None:
    """Return when both workers are at work and some of it is done."""
    deadline = time.monotonic() + WAIT_S
    while True:
        states = [job["state"] for job in jobs(client)]
        if "loaded" in states and states.count("running") == 2:
            return
        assert time.monotonic() < deadline, states
        time.sleep(POLL_S)


def wait_until_loaded(client: PlatformClient) -> None:
    deadline = time.monotonic() + WAIT_S
    while {job["state"] for job in jobs(client)} & {"queued", "running"}:
        assert time.monotonic() < deadline, jobs(client)
        time.sleep(POLL_S)


def found(client: PlatformClient, words: str) -> list[str]:
    """The documents that a search finds."""
    asked = {"query": words, "department": "ward", "k": 20}
    return [one["document_id"] for one in client.post("/api/v1/search", asked)["passages"]]


def act(client: PlatformClient, document_id: str, version: int, name: str) -> None:
    decided = {"act": name, "reason": "a test", "looked": True}
    client.post(f"/api/v1/documents/{document_id}/versions/{version}/acts", decided)


def test_files_are_loaded_though_a_worker_is_killed_and_both_pages_agree(data_dir: Path) -> None:
    """Handed in at one, found at the other; what one retires the other never shows again."""
    with site(data_dir) as made:
        first, second = made.clients
        first.department("ward", create=True)
        fields = {"department": "ward"}
        handed_in = [
            first.upload(path, path.name, fields) for path in write_policies(data_dir / "policies")
        ]
        wait_until_loading(second)
        made.processes["worker-1"].send_signal(signal.SIGKILL)
        wait_until_loaded(first)
        assert [job["state"] for job in jobs(second)] == ["loaded"] * FILES

        assert found(second, "wash hands") == []  # they are drafts
        document_id = handed_in[0]["document"]
        act(first, document_id, 1, "override")
        assert set(found(second, "wash hands")) == {document_id}

        path = data_dir / "next.md"
        path.write_text(f"# Trolley\n\n## Checks\n\n{NEW_RULE}\n")
        second.upload(path, path.name, fields | {"replaces": document_id})
        wait_until_loaded(first)
        act(second, document_id, 2, "override")
        assert set(found(first, "crash trolley checked")) == {document_id}

        act(second, document_id, 2, "retire")
        for words in ("crash trolley checked", "wash hands"):
            assert found(first, words) == found(second, words) == []
