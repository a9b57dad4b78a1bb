"""The commands, as processes: with a platform that runs, and without one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from governance.record.database import open_record
from lamplight.launch import web_part
from lamplight.lock import DataLock
from lamplight.settings import child_environment, load_settings
from lamplight.supervisor import Supervisor
from lamplight.testing import run, short_folder


@contextmanager
def running_platform(data_dir: Path) -> Iterator[None]:
    """A platform on its socket alone; the runtime is not needed for this."""
    settings = load_settings(data_dir)
    with DataLock(settings.run_dir).take("up") as lock:
        part = web_part(settings, child_environment({}), lock, listen=False)
        supervisor = Supervisor([part], lambda _note: None)
        try:
            supervisor.start()
            yield
        finally:
            supervisor.stop()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


def test_a_running_platform_is_backed_up_and_its_index_rebuilt(
    data_dir: Path, tmp_path: Path
) -> None:
    """The command asks it over the socket; what comes back can be restored and started."""
    place = tmp_path / "backup"
    with running_platform(data_dir):
        made = run("backup", str(place), "--json", data_dir=data_dir)
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout)["keys"]
        key = run("audit", "rotate-key", data_dir=data_dir).stdout.strip()
        assert key == run("audit", "key", data_dir=data_dir).stdout.strip()
        assert run("audit", "verify", "--vkey", key, data_dir=data_dir).returncode == 0
        made = run("backup", str(place), "--json", data_dir=data_dir)
        rebuilt = run("reindex", "--json", data_dir=data_dir)
        assert (rebuilt.returncode, json.loads(rebuilt.stdout)) == (0, {"passages": 0})
        refused = run("restore", str(place), data_dir=data_dir)
        assert refused.returncode == 1
        assert "already running" in refused.stderr
    with short_folder() as new:
        restored = run("restore", str(place), "--json", data_dir=new)
        assert restored.returncode == 0, restored.stderr
        told = json.loads(restored.stdout)
        assert (told["anchored_size"], told["vouched_by"]) == (None, [])
        assert "Nothing but the backup itself vouches" in told["warning"]
        with running_platform(new):
            pass


def test_without_a_platform_the_command_works_alone(data_dir: Path, tmp_path: Path) -> None:
    """No runtime is started, and no model is asked for."""
    open_record(load_settings(data_dir).governance).close()
    made = run("backup", str(tmp_path / "backup"), data_dir=data_dir)
    assert made.returncode == 0, made.stderr
    assert "guard it" in made.stderr or "not in it" in made.stderr
    assert run("reindex", data_dir=data_dir).returncode == 0
    again = run("restore", str(tmp_path / "backup"), data_dir=data_dir)
    assert again.returncode == 1
    assert "not empty" in again.stderr
