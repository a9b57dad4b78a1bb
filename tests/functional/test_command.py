"""The command line works with and without a running Lamplight, and says what went wrong."""

import json
import shutil
from pathlib import Path

import httpx
import pytest

from lamplight.testing import PASSWORD, USERNAME, Running, lamplight, run

SAMPLES = Path(__file__).parent.parent.parent / "samples"
HANDS = SAMPLES / "ic-001-hand-hygiene.pdf"
VISITORS = SAMPLES / "fa-003-visitors.md"


def test_ingest_alone_starts_what_it_needs_and_stops_it(data_dir: Path, tmp_path: Path) -> None:
    """Good files are loaded, bad ones named; the department is made; nothing stays running."""
    empty = tmp_path / "empty.md"
    empty.write_bytes(b"")
    copy = tmp_path / "copy.md"
    shutil.copy(VISITORS, copy)
    paths = [str(path) for path in (VISITORS, copy, empty, tmp_path / "missing.pdf")]
    result = run(
        "ingest", *paths, "--department", "ward 3", "--publish", "--json", data_dir=data_dir
    )
    assert result.returncode == 1, result.stderr
    assert "Created the department ward 3" in result.stderr
    told = json.loads(result.stdout)
    assert [file["state"] for file in told["files"]] == [
        "loaded",
        "duplicate",
        "refused",
        "refused",
    ]
    assert told["files"][0]["passages"] > 3
    assert all(file["error"]["hint"] for file in told["files"][2:])
    found = run("search", "visiting hours", "--json", data_dir=data_dir)
    assert found.returncode == 0, found.stderr
    assert "Visitors" in json.loads(found.stdout)["passages"][0]["title"]


def test_ask_speaks_to_the_running_platform(up: Running) -> None:
    """The same answer as in the browser, in the terminal."""
    question = "How long does the scrub before the first operation of the day take?"
    result = run("ask", question, "--json", data_dir=up.data_dir)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["status"] == "answered"


def test_eval_scores_the_samples(up: Running) -> None:
    """The search finds what the samples' own questions ask for."""
    questions = str(SAMPLES / "questions.jsonl")
    result = run("eval", questions, "--retrieval-only", "--json", data_dir=up.data_dir)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["retrieval"]["recall@10"] >= 0.9
    assert figures["retrieval"]["recall@1"] >= 0.7


def test_a_second_instance_is_refused_by_name(up: Running) -> None:
    """It names the directory, and the first one goes on."""
    result = run("up", data_dir=up.data_dir)
    assert result.returncode == 1
    assert str(up.data_dir) in result.stderr
    assert "already running" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("eval", "missing.jsonl"), "missing.jsonl"),
        (("search", "hands", "--department", "nowhere"), "nowhere"),
        (("ingest", "tests/data/no-such-folder"), "no-such-folder"),
    ],
)
def test_wrong_use_is_explained(up: Running, arguments: tuple[str, ...], words: str) -> None:
    """No stack trace; what was wrong stands in the message."""
    result = run(*arguments, data_dir=up.data_dir)
    assert result.returncode in (1, 2)
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_an_address_that_others_can_reach_is_refused(data_dir: Path) -> None:
    """Passwords and answers do not go over a network in clear, unless somebody says so."""
    result = run("web", "--host", "0.0.0.0", data_dir=data_dir)
    assert result.returncode == 2
    assert "without TLS" in result.stderr
    assert "--insecure-plain-http" in result.stderr


def test_a_taken_port_is_refused_before_anything_starts(up: Running, data_dir: Path) -> None:
    """The option that helps is named."""
    port = up.url.rsplit(":", 1)[1]
    result = run("up", "--port", port, data_dir=data_dir)
    assert result.returncode == 1
    assert port in result.stderr
    assert "--port" in result.stderr


def test_without_samples_nothing_is_loaded() -> None:
    """`--no-samples` leaves the first page saying how to begin."""
    with lamplight("--no-samples") as running, running.client() as client:
        assert client.get("/api/v1/departments").json() == {"departments": []}
        with httpx.Client(base_url=running.url, follow_redirects=True) as reader:
            form = {"username": USERNAME, "password": PASSWORD}
            assert "No policies are loaded yet" in reader.post("/sign-in", data=form).text
