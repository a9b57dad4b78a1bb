"""Lets a child process requantize a model, tells how far it is, and keeps only a whole file."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from runtime.config import RuntimeSettings
from runtime.errors import BadModelFile, BadRequest, NoSpace
from runtime.pull import PullProgress, Report, free_bytes_of
from runtime.store import Store, sha256_of

# llama.cpp's numbers; Ollama takes the last three alone.
TYPES = {
    "F16": 1,
    "BF16": 32,
    "Q4_0": 2,
    "Q4_1": 3,
    "Q5_0": 8,
    "Q5_1": 9,
    "Q5_K_S": 16,
    "Q5_K_M": 17,
    "Q6_K": 18,
    "Q8_0": 7,
    "Q4_K_S": 14,
    "Q4_K_M": 15,
}
POLL_S = 0.5
KEPT_LOG_BYTES = 400


def tool_name() -> str:
    """What quantizes here, with its version."""
    return f"llama.cpp llama_model_quantize (llama-cpp-python {version('llama-cpp-python')})"


class Quantizer:
    """Quantizes files of one store."""

    def __init__(
        self,
        settings: RuntimeSettings,
        store: Store,
        free_bytes: Callable[[Path], int] = free_bytes_of,
    ) -> None:
        self._settings = settings
        self._store = store
        self._free_bytes = free_bytes

    @staticmethod
    def check(kind: str) -> int:
        """The number of a type. Raises BadRequest."""
        number = TYPES.get(kind.upper())
        if number is None:
            raise BadRequest(
                f"unsupported quantization type {kind}", f"Types are: {', '.join(TYPES)}."
            )
        return number

    def run(self, source: Path, kind: str, digest: str, report: Report) -> Path:
        """Write a blob in another type; returns its path. Raises BadModelFile, NoSpace."""
        with self.made(source, kind, digest, report) as target:
            return self._store.take(target, sha256_of(target))

    @contextmanager
    def made(self, source: Path, kind: str, digest: str, report: Report) -> Iterator[Path]:
        """A file in another type, for the length of the block. Raises BadModelFile, NoSpace."""
        size = source.stat().st_size
        folder = self._store.models_dir / "downloads"
        folder.mkdir(parents=True, exist_ok=True)
        if self._free_bytes(folder) - size < self._settings.min_free_bytes:
            raise NoSpace(
                f"no space to quantize: up to {size / 1e6:,.0f} MB may be needed", "Make room."
            )
        with tempfile.TemporaryDirectory(dir=folder) as made:
            target = Path(made) / "quantized.gguf"
            self._watch(source, target, kind, digest, report)
            yield target

    def _watch(self, source: Path, target: Path, kind: str, digest: str, report: Report) -> None:
        log = target.with_suffix(".log")
        total, label = source.stat().st_size, f"quantizing model to {kind}"
        threads = self._settings.threads or len(os.sched_getaffinity(0))
        command = [sys.executable, "-I", "-m", "runtime.quantizer", str(source), str(target)]
        with (
            log.open("wb") as complaints,
            subprocess.Popen(
                [*command, str(self.check(kind)), str(threads)],
                stdin=subprocess.DEVNULL,
                stdout=complaints,
                stderr=complaints,
                env={},
            ) as process,
        ):
            try:
                while process.poll() is None:
                    done = target.stat().st_size if target.exists() else 0
                    report(PullProgress(label, digest, min(done, total), total))
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(POLL_S)
            finally:
                process.kill()
        if process.returncode != 0:
            said = log.read_bytes()[-KEPT_LOG_BYTES:].decode(errors="replace").strip()
            raise BadModelFile(
                f"llama.cpp could not quantize the model: {said.splitlines()[-1] if said else ''}",
                "Start from F16, BF16 or F32 weights, or choose another type.",
            )
