import sys
import textwrap
from collections.abc import Callable
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

Task = Callable[[str], str]
LIMITS = ChildLimits(timeout_s=20.0, memory_bytes=512 * 1024 * 1024, answer_bytes=1000)


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


def test_a_child_cannot_write_files(task_module: Task, tmp_path: Path) -> None:
    """A parser that writes dies: reading a document needs no file of its own."""
    target = tmp_path / "out"
    body = f"open({str(target)!r}, 'w').write('x' * 10000); return b'written'"
    with pytest.raises(ChildCrashError):
        run_child(task_module(body), {}, LIMITS)
    assert target.stat().st_size == 0


def test_this_interpreter_is_the_one_that_runs() -> None:
    """Children run in the same environment as we do."""
    assert Path(sys.executable).exists()
