"""With the network cut off after set-up, the main job works the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Inside a network name space of its own there is nothing but loopback, and that is down at first.
LOOPBACK_UP = (
    "import fcntl, socket, struct;"
    "s = socket.socket(); fcntl.ioctl(s, 0x8914, struct.pack('16sH14s', b'lo', 0x1 | 0x40, b''));"
    "from socket import create_connection, if_nameindex;"
    "assert [name for _, name in if_nameindex()] == ['lo'], 'only loopback is here';"
    "import pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"
)


def can_cut_the_network() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(["unshare", "-rn", "true"], capture_output=True)
    return tried.returncode == 0


@pytest.mark.browser
@pytest.mark.skipif(not can_cut_the_network(), reason="this system has no network name spaces")
def test_the_browser_test_passes_without_a_network() -> None:
    """`unshare -n` with loopback up: question, sources, streamed answer, marked lines."""
    wanted = "test_sources_then_answer_then_the_marked_lines"
    result = subprocess.run(
        [
            *("unshare", "-rn", sys.executable, "-c", LOOPBACK_UP),
            *(str(HERE / "test_main_job.py"), "-k", wanted, "-p", "no:cacheprovider"),
        ],
        capture_output=True,
        text=True,
        cwd=HERE.parent.parent,
        env={**os.environ, "HTTP_PROXY": "", "HTTPS_PROXY": ""},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
