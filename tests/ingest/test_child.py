import json
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import child
from ingest.child import (
    ChildCrashError,
    ChildLimits,
    ChildMemoryError,
    ChildTimeoutError,
    run_child,
)
from runtime.enclosure import standing_walls
from runtime.walls import WHAT_IT_KEEPS, Wall

Task = Callable[[str], str]
LIMITS = ChildLimits(timeout_s=20.0, memory_bytes=512 * 1024 * 1024, answer_bytes=1000)
STANDING = standing_walls()


def needs(wall: Wall) -> None:
    if wall not in STANDING:
        pytest.skip(f"this machine denies the wall that {WHAT_IT_KEEPS[wall]}")


@pytest.fixture
def task_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """Writes a module whose work is the given body, where children look for modules."""

    def write(body: str) -> str:
        source = f"""
            import os, sys, time
            sys.path.insert(0, {str(Path(child.__file__).parent.parent)!r})
            from ingest.child import serve_once
            def work(task):
                {body}
            if __name__ == "__main__":
                serve_once(work)
        """
        (tmp_path / "odd_task.py").write_text(textwrap.dedent(source))
        monkeypatch.setattr(child, "_PACKAGE_ROOT", tmp_path)
        return "odd_task"

    return write


def test_a_child_answers_its_task(task_module: Task) -> None:
    """The task goes in as JSON and the answer comes back as bytes."""
    assert run_child(task_module("return task['x'].encode()"), {"x": "é"}, LIMITS) == "é".encode()


def test_what_a_library_prints_is_not_part_of_the_answer(task_module: Task) -> None:
    """Standard output is not the answer's pipe."""
    assert run_child(task_module("print('noise', flush=True); return b'ok'"), {}, LIMITS) == b"ok"


def test_a_child_that_takes_too_long_is_ended(task_module: Task) -> None:
    """A hang becomes an error of its own."""
    limits = ChildLimits(1.0, LIMITS.memory_bytes, LIMITS.answer_bytes)
    with pytest.raises(ChildTimeoutError):
        run_child(task_module("time.sleep(600)"), {}, limits)


def test_a_child_that_takes_too_much_memory_is_told_apart(task_module: Task) -> None:
    """The limit on memory holds, and is named as the reason."""
    with pytest.raises(ChildMemoryError):
        run_child(task_module("return bytes(10**10)"), {}, LIMITS)


@pytest.mark.parametrize(
    "body", ["os.abort()", "os._exit(3)", "raise ValueError('bad')", "return b'x' * 100_000"]
)
def test_a_child_that_dies_or_floods_is_an_error(task_module: Task, body: str) -> None:
    """A crash, an error of ours and an endless answer all end in one plain error."""
    with pytest.raises(ChildCrashError):
        run_child(task_module(body), {}, LIMITS)


def test_a_child_gets_nothing_of_our_environment(
    task_module: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets in the environment do not reach the process that opens hostile files."""
    monkeypatch.setenv("LAMPLIGHT_SECRET", "swordfish")
    answer = run_child(task_module("return repr(dict(os.environ)).encode()"), {}, LIMITS)
    assert b"swordfish" not in answer


TRIES = {
    "own file": "open(task['own'], 'rb').read()",
    "other file": "open(task['other'], 'rb').read()",
    "folder of originals": "os.listdir(os.path.dirname(task['other']))",
    "passwords": "open('/etc/passwd', 'rb').read()",
    "parent's environment": "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    "new file": "open(os.path.join(os.path.dirname(task['own']), 'new'), 'w').write('x')",
    "own file for writing": "open(task['own'], 'r+').write('x')",
    "socket": "socket.socket()",
    "unix socket": "socket.socket(socket.AF_UNIX)",
    "fork": "os.fork() or os._exit(0)",
    "program": "os.posix_spawn('/bin/true', ['true'], {})",
    "signal": "os.kill(os.getppid(), 0)",
    "100 files": "[open(os.devnull) for _ in range(100)]",
    "thread": "[t.start() or t.join() for t in [threading.Thread(target=str)]]",
}
TRY_ALL = """
import json, socket, threading
                outcome = {}
                for name, attempt in task['tries'].items():
                    try:
                        exec(attempt)
                        outcome[name] = 'done'
                    except OSError as error:
                        outcome[name] = type(error).__name__
                return json.dumps(outcome).encode()
"""


@pytest.fixture
def outcome(task_module: Task, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What became of each try of a child that was given one file."""
    folder = tmp_path_factory.mktemp("originals")
    own, other = folder / "own.pdf", folder / "other.pdf"
    own.write_text("ours")
    other.write_text("theirs")
    task = {"own": str(own), "other": str(other), "tries": TRIES}
    answer = run_child(task_module(TRY_ALL.strip()), task, LIMITS, [own])
    assert own.read_text() == "ours"
    found: dict[str, str] = json.loads(answer)
    return found


def test_a_child_does_what_it_is_there_for(outcome: dict[str, str]) -> None:
    """It reads its own file and starts threads, as libraries do."""
    assert (outcome["own file"], outcome["thread"]) == ("done", "done")
    assert outcome["100 files"] == "OSError"


def test_a_child_reads_no_other_file_and_writes_none(outcome: dict[str, str]) -> None:
    """FLT-19: of all documents it has the one, and of the machine nothing that says who we are."""
    needs(Wall.FILES)
    for name in ("other file", "folder of originals", "passwords", "parent's environment"):
        assert outcome[name] == "PermissionError", name
    for name in ("new file", "own file for writing"):
        assert outcome[name] == "PermissionError", name


def test_a_child_opens_no_socket_and_starts_nothing(outcome: dict[str, str]) -> None:
    """FLT-19: what takes it over can tell nobody, and does not outlive it."""
    needs(Wall.CALLS)
    for name in ("socket", "unix socket", "fork", "program"):
        assert outcome[name] == "PermissionError", name


def test_a_child_cannot_fill_the_disk(task_module: Task, tmp_path: Path) -> None:
    """A parser that writes dies: reading a document needs no file of its own."""
    target = tmp_path / "out"
    body = f"open({str(target)!r}, 'w').write('x' * 10000); return b'written'"
    with pytest.raises(ChildCrashError):
        run_child(task_module(body), {}, LIMITS)
    assert not target.exists() or target.stat().st_size == 0


def test_a_child_may_be_given_a_folder_to_write_in(task_module: Task, tmp_path: Path) -> None:
    """It makes files and folders in there, and nowhere else; none grows beyond the limit."""
    needs(Wall.FILES)
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    body = (
        f"from pathlib import Path; own, other = Path({str(own)!r}), Path({str(other)!r}); "
        "(own / 'deep').mkdir(); (own / 'deep' / 'note').write_bytes(b'x' * 500); "
        "told = []; exec(task['rest'], locals()); return ' '.join(told).encode()"
    )
    rest = """
for attempt in (lambda: (other / 'note').write_text('x'), lambda: (other / 'deep').mkdir(),
                lambda: (own / 'large').write_bytes(b'x' * 5000)):
    try:
        attempt()
        told.append('done')
    except OSError as error:
        told.append(type(error).__name__)
"""
    limits = replace(LIMITS, file_bytes=1000)
    told = run_child(task_module(body), {"rest": rest}, limits, writes=[own])
    assert told == b"PermissionError PermissionError OSError"
    assert (own / "deep" / "note").read_bytes() == b"x" * 500
    assert list(other.iterdir()) == []


def test_a_child_that_spins_is_ended_by_the_kernel_too(task_module: Task) -> None:
    """When nobody is left to watch it, its processor time ends it, and by that name."""
    body = "import resource; assert resource.getrlimit(resource.RLIMIT_CPU)[0] == 22; return b'ok'"
    assert run_child(task_module(body), {}, LIMITS) == b"ok"


def test_this_interpreter_is_the_one_that_runs() -> None:
    """Children run in the same environment as we do."""
    assert Path(sys.executable).exists()
