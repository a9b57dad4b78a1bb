"""The servers listen where they may, and nowhere else."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lamplight.errors import BadSetting
from lamplight.serving import check_address, listen_for_commands
from lamplight.testing import short_folder


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_allowed(host: str) -> None:
    """Every name of this machine for itself."""
    check_address("web", host, tls=False, insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_any_other_address_is_refused(host: str) -> None:
    """HIP-4: the refusal names the setting and why."""
    for package in ("web", "runtime"):
        with pytest.raises(BadSetting, match=rf"{package}\.host.*without TLS") as refused:
            check_address(package, host, tls=False, insecure=False)
        assert "--insecure-plain-http" in refused.value.hint


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_hip_4_tls_or_a_flag_that_says_so_opens_other_addresses(host: str) -> None:
    """Nobody serves a ward in clear by accident."""
    check_address("web", host, tls=True, insecure=False)
    check_address("web", host, tls=False, insecure=True)


def test_only_the_owner_can_open_the_command_socket() -> None:
    """The socket and its folder are closed to everybody else, from the first moment."""
    with short_folder() as folder:
        path = folder / "run" / "admin.sock"
        listen_for_commands(path).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_directory_with_too_long_a_name_is_refused(tmp_path: Path) -> None:
    """The kernel would say only `AF_UNIX path too long`."""
    with pytest.raises(BadSetting, match="too long"):
        listen_for_commands(tmp_path / ("x" * 120) / "admin.sock")


def test_hip_4_the_command_ends_where_it_would_serve_others_in_clear(tmp_path: Path) -> None:
    """Exit 2, what is wrong, and the flag that would allow it."""
    command = [sys.executable, "-m", "lamplight", "serve", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(
        [*command, "--data", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "without TLS" in done.stderr
    assert "--insecure-plain-http" in done.stderr
