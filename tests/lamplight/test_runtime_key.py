"""The key of a start lies in one file, for its owner alone."""

import stat
from pathlib import Path

from lamplight.launch import ports
from lamplight.runtime_key import make_key, read_key
from lamplight.settings import child_environment, load_settings


def test_each_start_makes_another_key_that_nobody_else_can_read(tmp_path: Path) -> None:
    """Also where an old one lies open."""
    path = tmp_path / "run" / "runtime.key"
    first = make_key(path)
    path.chmod(0o644)
    second = make_key(path)
    assert first != second
    assert path.read_text() == second
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_runtime_that_is_started_takes_the_key_that_lies_there(tmp_path: Path) -> None:
    """So that it never locks out a platform that has it already."""
    path = tmp_path / "runtime.key"
    made = read_key(path)
    assert read_key(path) == made


def test_a_key_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    """By now it may be known; so is one that is damaged."""
    path = tmp_path / "runtime.key"
    known = make_key(path)
    path.chmod(0o640)
    made = read_key(path)
    assert made != known
    path.write_text("")
    assert read_key(path) not in ("", made)


def test_both_processes_learn_the_place_and_not_the_key(tmp_path: Path) -> None:
    """An environment can be read by others of the same account's programs; a path tells nothing."""
    settings = load_settings(tmp_path, {"runtime.port": 5}, {})
    key = make_key(settings.runtime_key_path)
    environment = child_environment(ports(settings))
    assert key not in environment.values()
    child = load_settings(tmp_path, None, {n: v for n, v in environment.items() if "LAMP" in n})
    assert child.rag.runtime_key_path == tmp_path / "run" / "runtime.key"
    assert child.rag.runtime_url == "http://127.0.0.1:5/"


def test_another_chat_server_does_not_become_our_runtime(tmp_path: Path) -> None:
    """Our runtime is where we serve it, wherever the models are asked."""
    settings = load_settings(tmp_path, None, {"LAMPLIGHT_CHAT_URL": "http://gpu:8000/v1"})
    assert settings.rag.runtime_url == "http://127.0.0.1:11434/"
    assert settings.rag.chat_url == "http://gpu:8000/v1"
