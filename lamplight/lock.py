"""One Lamplight for one data directory: the lock, and who holds it."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType

from lamplight.errors import AlreadyRunning

FILE_NAME = "lock"


class DataLock:
    """Held for as long as any process has its file descriptor open; a crash gives it back."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / FILE_NAME
        self._fd = -1

    @property
    def fd(self) -> int:
        """The descriptor to hand to a child, so that the child keeps the lock too."""
        return self._fd

    def take(self, purpose: str) -> "DataLock":
        """Take the lock or say who has it. Raises AlreadyRunning."""
        # Nobody else on this machine may read policies and questions; parents keep their rights.
        self._path.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.parent.mkdir(exist_ok=True, mode=0o700)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(fd)
            os.close(fd)
            raise self._refusal(holder) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"pid": os.getpid(), "purpose": purpose}).encode(), 0)
        self._fd = fd
        return self

    def adopt(self, fd: int) -> "DataLock":
        """Hold the lock that a parent process took and handed down."""
        self._fd = fd
        return self

    def release(self) -> None:
        """Give the lock back, unless a child still has it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "DataLock":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _refusal(self, holder: dict[str, object]) -> AlreadyRunning:
        data_dir = self._path.parent.parent
        who = f"`lamplight {holder['purpose']}`, process {holder['pid']}" if holder else "another"
        return AlreadyRunning(
            f"Lamplight is already running on {data_dir} ({who}).",
            "Use that one, stop it, or choose another directory with --data.",
        )


def _holder(fd: int) -> dict[str, object]:
    try:
        found = json.loads(os.pread(fd, 1000, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) and {"pid", "purpose"} <= found.keys() else {}
