"""The servers listen where they may, and nowhere else."""

import stat
from pathlib import Path

import pytest

from lamplight.errors import BadSetting
from lamplight.serving import check_loopback, listen_for_commands
from lamplight.testing import short_folder


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_allowed(host: str) -> None:
    """Every name of this machine for itself."""
    check_loopback("web.host", host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_any_other_address_is_refused(host: str) -> None:
    """The refusal names the setting and why."""
    with pytest.raises(BadSetting, match=r"web\.host.*sign-in"):
        check_loopback("web.host", host)


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
