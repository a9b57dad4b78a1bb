"""`lamplight run` in a process and a terminal of its own, with a real model behind it."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lamplight.testing_gate import CHAT, EMBED
from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.catalog import builtin_catalog
from runtime.config import RuntimeSettings
from runtime.pull import Puller
from runtime.store import Store
from runtime.testing_server import serving

FRANCE = "What is the capital of France?"
STEADY = "steady"
READ_TIMEOUT_S = 180


@dataclass(frozen=True)
class Place:
    """A running runtime, and the environment of a command that is to find it."""

    url: str
    environment: dict[str, str]

    def run(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "lamplight", "run", *words]
        return subprocess.run(
            command, input=given, capture_output=True, text=True, env=self.environment, timeout=240
        )


@pytest.fixture(scope="module")
def place(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, data = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("data")
    settings = RuntimeSettings(
        folder, context_length_tokens=512, gentle_threads=True, quarantine_path=data / "notes.json"
    )
    for name in (CHAT, EMBED):
        Puller(settings, Store(folder, (models_dir,)), builtin_catalog()).pull(name, lambda _: None)
    with serving(create_app(settings, Store(folder), OpenGate())) as url:
        # Without an end a small model may go on with blanks between braces to its last token.
        parameters = {"temperature": 0, "num_predict": 96}
        steady = {"model": STEADY, "from": CHAT, "parameters": parameters, "stream": False}
        httpx.post(f"{url}/api/create", json=steady, timeout=60).raise_for_status()
        port = url.rpartition(":")[2]
        # A terminal of its own, and no colours in what is compared.
        own = {"LAMPLIGHT_DATA": str(data), "LAMPLIGHT_RUNTIME_PORT": port, "TERM": "dumb"}
        yield Place(url, {**os.environ, **own})


def test_one_question_is_answered_once(place: Place) -> None:
    """From the command line, from standard input, and from both."""
    assert "Paris" in place.run(STEADY, FRANCE).stdout
    assert "Paris" in place.run(STEADY, given=FRANCE).stdout
    assert "Paris" in place.run(STEADY, "Answer", "this.", given=FRANCE).stdout


def test_figures_and_json_when_asked(place: Place) -> None:
    """The answer on standard output, the figures beside it."""
    done = place.run(STEADY, "--format", "json", "--verbose", "A ward as JSON, with a name.")
    assert done.stdout.lstrip().startswith("{")
    assert "eval rate:" in done.stderr


def test_a_model_that_makes_vectors_prints_one(place: Place) -> None:
    """As an array of JSON."""
    assert place.run(EMBED, "hand hygiene").stdout.startswith("[")


@pytest.mark.parametrize(
    ("words", "given", "text"),
    [
        (["nobody", "Hi"], "", "not found"),
        ([CHAT], "", "nothing to ask"),
        ([CHAT, "--format", "xml", "Hi"], "", "--format is json"),
        ([CHAT, "--think", "true", "Hi"], "", "does not support thinking"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    place: Place, words: list[str], given: str, text: str
) -> None:
    """Two lines that say why, and a status."""
    done = place.run(*words, given=given)
    assert done.returncode != 0
    assert text in done.stderr
    assert "Traceback" not in done.stderr


class Terminal:
    """A person at a terminal, who waits for what they read."""

    def __init__(self, place: Place, *words: str) -> None:
        ours, theirs = pty.openpty()
        self._fd = ours
        self._read = ""
        command = [sys.executable, "-m", "lamplight", "run", *words]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=place.environment,
            start_new_session=True, preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(theirs)

    def read_to(self, text: str) -> str:
        """What is printed up to a text; fails with all of it where that does not come."""
        found, ends = "", time.monotonic() + READ_TIMEOUT_S
        while text not in found:
            ready, _, _ = select.select([self._fd], [], [], max(ends - time.monotonic(), 0))
            assert ready, f"waited for {text!r}, read: {self._read + found!r}"
            found += os.read(self._fd, 4096).decode(errors="replace")
        self._read += found
        return found

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._fd)


def _take_terminal() -> None:
    """Make the new terminal the one from which Ctrl-C comes."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_person_talks_with_a_model(place: Place) -> None:
    """Several lines, commands, a conversation, Ctrl-C in an answer, and leaving."""
    terminal = Terminal(place, STEADY)
    try:
        terminal.read_to(">>> ")
        terminal.type("/set parameter temperature 0\n")
        assert "Set parameter 'temperature' to '0'" in terminal.read_to("\n>>> ")
        terminal.type('"""What is the capital\n')
        terminal.read_to("... ")
        terminal.type('of France?"""\n')
        assert "Paris" in terminal.read_to("\n>>> ")
        terminal.type("/show info\n")
        assert "capabilities" in terminal.read_to("\n>>> ")
        terminal.type("/set parameter num_predict 4000\n")
        terminal.read_to("\n>>> ")
        terminal.type("/set parameter repeat_penalty 2\n")
        terminal.read_to("\n>>> ")
        terminal.type("Write a very long story about Paris and the river, with many chapters.\n")
        terminal.read_to("chapters.\r\n")
        terminal.read_to(" ")  # it has begun
        terminal.type("\x03")
        terminal.read_to("\n>>> ")
        terminal.type("/save told\n")
        assert "Created new model 'told'" in terminal.read_to("\n>>> ")
        terminal.type("\x03")
        terminal.read_to("Use Ctrl + d or /bye to exit.\r\n>>> ")
        terminal.type("/bye\n")
        assert terminal.process.wait(60) == 0
    finally:
        terminal.close()
    names = [model["name"] for model in httpx.get(f"{place.url}/api/tags").json()["models"]]
    assert "told:latest" in names
