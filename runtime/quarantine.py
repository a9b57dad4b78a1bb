"""Models whose process keeps dying are set aside until a person lets them back.

    a process dies       its time is noted under the model's digest
    too many in a while  the model is quarantined: it is not loaded again
    release              a person has looked into it: the model may be loaded, its deaths forgotten

The notes are a file, so that a restart changes nothing, and it is read anew each
time, so that the command line can release a model while the runtime runs. A file that cannot be
read quarantines nothing: it is our own, and no wall but a convenience.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.config import RuntimeSettings
from runtime.errors import Quarantined

FILE_NAME = "quarantine.json"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How often a model's process may die before the model is set aside."""

    deaths: int
    window_s: float


def too_often(deaths: list[float], now: float, tolerance: Tolerance) -> bool:
    """Whether the last deaths are too many for the time they took. now, deaths: in seconds."""
    return sum(now - death <= tolerance.window_s for death in deaths) >= tolerance.deaths


class Quarantine:
    """What is known of the deaths of one runtime's models. path: the file with the notes."""

    def __init__(
        self, path: Path, tolerance: Tolerance, now: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._tolerance = tolerance
        self._now = now

    def check(self, digest: str, name: str) -> None:
        """Refuse a model that is set aside. Raises Quarantined."""
        if digest in self._read()["quarantined"]:
            raise Quarantined(
                f"model '{name}' is quarantined: its process died"
                f" {self._tolerance.deaths} times in a short while",
                "Memory may be short, or the file may be made to do harm. When the cause is known,"
                f" run: lamplight release {name}",
            )

    def note_death(self, digest: str) -> bool:
        """Note that a model's process has died; whether this one sets the model aside."""
        notes, now = self._read(), self._now()
        recent = [
            at for at in notes["deaths"].get(digest, []) if now - at <= self._tolerance.window_s
        ]
        notes["deaths"][digest] = [*recent, now]
        is_new = digest not in notes["quarantined"] and too_often(
            [*recent, now], now, self._tolerance
        )
        if is_new:
            notes["quarantined"][digest] = now
        self._write(notes)
        return is_new

    def release(self, digest: str) -> bool:
        """Let a model be loaded again; whether it was set aside."""
        notes = self._read()
        was = notes["quarantined"].pop(digest, None) is not None
        notes["deaths"].pop(digest, None)
        self._write(notes)
        return was

    def digests(self) -> list[str]:
        """Models that are set aside."""
        return sorted(self._read()["quarantined"])

    @classmethod
    def of(cls, settings: RuntimeSettings) -> "Quarantine":
        """As the settings have it."""
        path = settings.quarantine_path or settings.models_dir / FILE_NAME
        return cls(path, Tolerance(settings.deaths_allowed, settings.deaths_window_s))

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            found = {}
        if not isinstance(found, dict):
            found = {}
        parts = ("deaths", "quarantined")
        return {x: found[x] if isinstance(found.get(x), dict) else {} for x in parts}

    def _write(self, notes: dict[str, dict[str, Any]]) -> None:
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # a store that we may only read
            partial.write_text(json.dumps(notes))
            partial.replace(self._path)
