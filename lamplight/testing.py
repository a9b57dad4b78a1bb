"""A whole Lamplight of its own, for functional tests and benchmarks: real processes, free ports."""

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import httpx

from governance.config import GovernanceSettings
from governance.keys import KeyStore
from governance.people import PeopleStore
from governance.permissions import Permission
from governance.record.database import open_record
from lamplight.operations import OWNER
from lamplight.settings import child_environment
from lamplight.supervisor import free_port, lamplight_command

HOST = "127.0.0.1"
USERNAME = "tester"
PASSWORD = "four words and a lamp"  # noqa: S105 (of an administrator whose data is thrown away)
SMALL_CHAT_MODEL = "qwen2.5-coder:0.5b"
# The small model hardly tells what it can answer, and a hair otherwise from a cached prompt.
EASILY_SURE = {"rag.min_confidence": 0.4}
START_TIMEOUT_S = 600
STOP_TIMEOUT_S = 60
POLL_S = 0.1


@dataclass(frozen=True)
class Running:
    """A running Lamplight: its addresses, its data and its supervising process.

    Its first administrator signs up, by the link that it printed, when somebody is needed.
    """

    url: str
    runtime_url: str
    data_dir: Path
    process: "subprocess.Popen[str]"

    def part_ids(self) -> set[int]:
        """The processes that the supervisor started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in children.read_text().split()}

    def part_id(self, word: str) -> int:
        """The part whose command line has this word: `serve` or `web`."""
        for pid in self.part_ids():
            if word in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                return pid
        raise LookupError(word)

    def log(self) -> str:
        """What the supervisor printed so far."""
        return (self.data_dir / "up.log").read_text()

    def client(self, timeout_s: float = 900) -> httpx.Client:
        """A client of the platform with the administrator's key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, timeout=timeout_s, trust_env=False, headers=headers)

    @cached_property
    def key(self) -> str:
        """A key of the administrator for everything that a key may do."""
        self.sign_up()
        record = open_record(GovernanceSettings(data_dir=self.data_dir))
        try:
            people = PeopleStore(record)
            person = people.by_username(USERNAME)
            assert person is not None
            now = datetime.now(UTC)
            _, key = KeyStore(record, people).create(
                OWNER, person.id, "tests", frozenset(Permission), None, now + timedelta(days=1), now
            )
            return key
        finally:
            record.close()

    def sign_up(self) -> None:
        """Become the administrator by the printed link; a second time changes nothing."""
        link = re.search(r"http\S+/welcome/\S+", self.log())
        if link is not None:
            form = {"name": "Alex Tester", "username": USERNAME}
            form |= {"password": PASSWORD, "again": PASSWORD}
            httpx.post(link[0], data=form, trust_env=False)


def start(
    data_dir: Path, *options: str, chat_model: str = SMALL_CHAT_MODEL, wait: bool = True
) -> Running:
    """Start `lamplight up` and wait until it says that it is ready."""
    port, runtime_port = free_port(HOST), free_port(HOST)
    arguments = ["up", "--data", str(data_dir), "--port", str(port)]
    arguments += ["--runtime-port", str(runtime_port), *options]
    with (data_dir / "up.log").open("w") as log:
        process = subprocess.Popen(
            lamplight_command(*arguments),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=child_environment(
                {
                    "rag.chat_model": chat_model,
                    "runtime.measure_forms": False,
                    **(EASILY_SURE if chat_model == SMALL_CHAT_MODEL else {}),
                }
            ),
            text=True,
        )
    urls = (f"http://{HOST}:{port}", f"http://{HOST}:{runtime_port}")
    running = Running(*urls, data_dir, process)
    if wait:
        wait_until_ready(running)
    return running


def wait_until_ready(running: Running) -> None:
    """Return when the supervisor says so; stop it and show its words when it does not."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while "Stop with Ctrl-C" not in running.log():
        if running.process.poll() is not None or time.monotonic() > deadline:
            stop(running)
            raise AssertionError(running.log())
        time.sleep(POLL_S)


def stop(running: Running) -> int:
    """Press Ctrl-C, wait for the end, give the exit status."""
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGINT)
    return running.process.wait(STOP_TIMEOUT_S)


def wait_for(
    url: str, status: int = 200, timeout_s: float = 60, key: str | None = None
) -> httpx.Response:
    """The first answer with this status."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            answer = httpx.get(url, trust_env=False, timeout=10, headers=headers)
            if answer.status_code == status:
                return answer
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"{url} did not answer {status}")
        time.sleep(POLL_S)


def run(*arguments: str, data_dir: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of `lamplight` to its end."""
    environment = child_environment({"rag.chat_model": SMALL_CHAT_MODEL})
    return run_with(environment, *arguments, "--data", str(data_dir))


def run_with(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The same in an environment of its own, which names the data directory."""
    return subprocess.run(
        lamplight_command(*arguments),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment,
    )


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that goes away; its name is short enough for a Unix socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="lamplight-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def lamplight(*options: str, chat_model: str = SMALL_CHAT_MODEL) -> Iterator[Running]:
    """A Lamplight for the length of the block."""
    with short_folder() as folder:
        running = start(folder, *options, chat_model=chat_model)
        try:
            yield running
        finally:
            stop(running)
