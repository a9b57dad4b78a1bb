"""Parts that die come back, and what was accepted is not lost with them."""

import os
import signal
import time
from pathlib import Path

import httpx

from lamplight.testing import Running, lamplight, start, stop, wait_for

POLICY = "# Policy {n}\n\n## Duty\n\nStaff of ward {n} check the trolley {n} times a day.\n"
# Without a second person: these tests are about the index.
FIELDS = {"department": "demo", "override_reason": "A test of faults"}
WAIT_S = 120


def upload(client: httpx.Client, number: int) -> str:
    files = {"file": (f"policy-{number}.md", POLICY.format(n=number).encode())}
    answer = client.post("/api/v1/documents", data=FIELDS, files=files)
    return str(answer.raise_for_status().json()["job"])


def ended(running: Running, job: str) -> str:
    deadline = time.monotonic() + WAIT_S
    while True:
        answer = wait_for(f"{running.url}/api/v1/jobs/{job}", key=running.key)
        if (state := answer.json()["state"]) not in ("queued", "running"):
            return str(state)
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)


def test_killed_parts_come_back_and_accepted_files_are_loaded() -> None:
    """`kill -9` of the platform and of the runtime, while files are being loaded."""
    with lamplight() as running:
        with running.client() as client:
            jobs = [upload(client, number) for number in range(8)]
        os.kill(running.part_id("web"), signal.SIGKILL)
        wait_for(f"{running.url}/readyz", timeout_s=WAIT_S)
        os.kill(running.part_id("serve"), signal.SIGKILL)
        assert [ended(running, job) for job in jobs] == ["loaded"] * len(jobs)
        wait_for(f"{running.url}/readyz", timeout_s=WAIT_S)
        with running.client() as client:
            found = client.post("/api/v1/search", json={"query": "check the trolley", "k": 20})
            titles = {passage["title"] for passage in found.json()["passages"]}
        assert {f"Policy {number}" for number in range(8)} <= titles
        assert "SIGKILL" in running.log()


def test_search_works_while_the_runtime_is_down(up: Running) -> None:
    """A question gets its passages and a clear word about the model."""
    os.kill(up.part_id("serve"), signal.SIGSTOP)
    try:
        with up.client() as client:
            found = client.post("/api/v1/search", json={"query": "visiting hours"})
            assert found.status_code == 200
            assert found.json()["passages"][0]["title"] == "Visitors"
    finally:
        os.kill(up.part_id("serve"), signal.SIGCONT)
    wait_for(f"{up.url}/readyz")


def test_a_killed_supervisor_takes_its_parts_along(data_dir: Path) -> None:
    """No process is left holding the ports or the data; the next start works."""
    running = start(data_dir, "--no-samples")
    parts = running.part_ids()
    running.process.kill()
    running.process.wait()
    deadline = time.monotonic() + WAIT_S
    while any(Path(f"/proc/{pid}").exists() for pid in parts):
        assert time.monotonic() < deadline, "a part outlived its supervisor"
        time.sleep(0.1)
    again = start(data_dir, "--no-samples")
    assert stop(again) == 0


def test_ctrl_c_lets_an_answer_under_way_finish() -> None:
    """Whoever is reading an answer when Lamplight is stopped still gets its end."""
    body = {"question": "What are the visiting hours?"}
    headers = {"Accept": "text/event-stream"}
    with (
        lamplight() as running,
        running.client() as client,
        client.stream("POST", "/api/v1/ask", json=body, headers=headers) as stream,
    ):
        lines = stream.iter_lines()
        assert any(line.startswith("event: passages") for line in lines)
        running.process.send_signal(signal.SIGINT)
        assert any(line.startswith("event: answer") for line in lines)
        assert running.process.wait(WAIT_S) == 0
