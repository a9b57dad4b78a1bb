"""Gives broken model files to our reader, and those it accepts to llama.cpp, each in a child.

python -m runtime.testing_mutants COUNT [SEED]

Prints what came of it as JSON. A child that dies by a signal, or works longer than it may, is a
file that should have been refused.
"""

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.errors import ModelRuntimeError
from runtime.gguf import DamagedHeader, read_header
from runtime.gguf_checks import check_header
from runtime.testing_gguf import Mutator, write_runnable_gguf

ARCHITECTURES = ("llama", "qwen2")
CHILD_S = 20
CHILD_MEMORY_BYTES = 8 * 1024**3
LOADED, REJECTED = 0, 3


def main() -> None:
    """Read all, then load the accepted ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(try_mutants(Path(folder), asked.count, asked.seed)))


def try_mutants(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """What became of so many broken files, half of each architecture."""
    mutators = [Mutator(write_runnable_gguf(folder / "good.gguf", x)) for x in ARCHITECTURES]

    def mutant(number: int) -> bytes:
        return mutators[number % len(mutators)].mutant(seed, number)

    before = _peak_bytes()
    accepted, slowest_s, crashes = _read_all(mutant(number) for number in range(count))
    found: dict[str, Any] = {"read": count, "accepted": len(accepted), "crashes": crashes}
    found |= {"slowest_read_s": round(slowest_s, 3), "peak_bytes": _peak_bytes(), "before": before}
    outcomes = {number: _load(folder / "mutant.gguf", mutant(number)) for number in accepted}
    found["loaded"] = sum(outcome == LOADED for outcome, _ in outcomes.values())
    found["rejected"] = sum(outcome == REJECTED for outcome, _ in outcomes.values())
    found["died"] = {n: x for n, x in outcomes.items() if x[0] not in (LOADED, REJECTED)}
    return found


def _read_all(files: Iterator[bytes]) -> tuple[list[int], float, dict[int, str]]:
    """Numbers that are accepted, the longest time, and errors that are none of ours."""
    accepted, slowest_s, crashes = [], 0.0, {}
    for number, content in enumerate(files):
        began = time.perf_counter()
        try:
            check_header(read_header(content, len(content)), content)
            accepted.append(number)
        except DamagedHeader:
            pass
        except Exception as error:  # noqa: BLE001 - whatever else comes is what we look for
            crashes[number] = repr(error)
        slowest_s = max(slowest_s, time.perf_counter() - began)
    return accepted, slowest_s, crashes


def _peak_bytes() -> int:
    """Most memory this program has used: `ru_maxrss` would keep what its parent used."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _load(path: Path, content: bytes) -> tuple[int, str]:
    """The exit status of a child that loads a file and writes a word, and its last words."""
    from runtime.backend import Backend  # not before the reading, whose memory is measured

    path.write_bytes(content)
    said = path.with_suffix(".said")
    said.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os._exit(_use(Backend, path, said))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    words = said.read_bytes()[-300:].decode(errors="replace") if said.exists() else ""
    return status, words if status not in (LOADED, REJECTED) else ""


def _use(backend: Any, path: Path, said: Path) -> int:
    os.putenv("GGML_NO_BACKTRACE", "1")  # llama.cpp would start a debugger
    signal.alarm(CHILD_S)
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY_BYTES, CHILD_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for stream in (1, 2):
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    try:
        model = backend(path, cells=64, slots=1, batch_tokens=32, threads=1, embeds=False)
        _write_a_word(model)
    except ModelRuntimeError:
        return REJECTED
    return LOADED


def _write_a_word(model: Any) -> None:
    from runtime.backend import BatchPart

    model.begin_and_end()
    model.control_words()
    tokens = model.tokenize("The ward, 12 <|im_end|>\n\u00e9", special=True)[:24]
    if tokens:
        (place,) = model.decode([BatchPart(0, 0, tokens, 1)])
        model.piece(model.likeliest(place[0]))


if __name__ == "__main__":
    main()
