"""One Lamplight works on a data directory at a time, and a crash never leaves it locked."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lamplight.errors import AlreadyRunning
from lamplight.lock import DataLock


def test_a_second_instance_is_refused_by_name(tmp_path: Path) -> None:
    """The refusal names the directory, the command and the process that has it."""
    with (
        DataLock(tmp_path / "run").take("up"),
        pytest.raises(AlreadyRunning, match=f"`lamplight up`, process {os.getpid()}") as refusal,
    ):
        DataLock(tmp_path / "run").take("ingest")
    assert str(tmp_path) in refusal.value.message


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    """Ending properly leaves no trace."""
    DataLock(tmp_path / "run").take("up").release()
    with DataLock(tmp_path / "run").take("up") as lock:
        assert lock.fd >= 0


def test_a_new_data_directory_is_closed_to_others(tmp_path: Path) -> None:
    """Other accounts of the machine cannot look into it."""
    with DataLock(tmp_path / "data" / "run").take("up"):
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_killed_holder_gives_the_lock_back(tmp_path: Path) -> None:
    """A lock file that is left behind does not stop the next start."""
    code = (
        "import sys, time; from pathlib import Path; from lamplight.lock import DataLock;"
        f"lock = DataLock(Path({str(tmp_path / 'run')!r})).take('up');"
        "print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning):
            DataLock(tmp_path / "run").take("up")
        holder.kill()
    with DataLock(tmp_path / "run").take("up") as lock:
        assert lock.fd >= 0


def test_a_child_keeps_the_lock_of_a_parent_that_is_gone(tmp_path: Path) -> None:
    """The platform's process still owns the index when its supervisor was killed."""
    lock = DataLock(tmp_path / "run").take("up")
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock.fd,)
    ) as child:
        lock.release()
        with pytest.raises(AlreadyRunning):
            DataLock(tmp_path / "run").take("up")
        child.communicate(b"\n")
    with DataLock(tmp_path / "run").take("up") as again:
        assert again.fd >= 0
