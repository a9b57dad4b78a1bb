"""The process that measures: reads a prompt, writes an answer, foretells a known text, and ends.

It stands behind the walls of a worker, sees nothing but the model, and answers in JSON on standard
output. Each measurement has a process of its own, so that no form finds warm what another left.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.enclosure import WORKER_LIMITS
from runtime.errors import LoadFailed
from runtime.forms import MEASURE_BATCH_TOKENS, MEASURE_CELLS, Figures
from runtime.walls import raise_walls

if TYPE_CHECKING:
    from runtime.backend import Backend

READ_TOKENS, WRITTEN_TOKENS, WARM_TOKENS = 512, 24, 32
QUALITY_TOKENS = 64  # whose logits are looked at together: a vocabulary for each takes room
TIMEOUT_S = 300.0
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Build:
    """The llama.cpp that is installed. flags: its own words; cards: graphics cards that it uses."""

    flags: str
    offloads: bool
    cards: tuple[dict[str, Any], ...]


def main() -> None:
    """Measure the model of the first argument; without one, say what llama.cpp was built for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path, nargs="?")
    parser.add_argument("threads", type=int, nargs="?", default=1)
    parser.add_argument("gpu_layers", type=int, nargs="?", default=-1)
    parser.add_argument("--foretell", action="store_true")
    asked = parser.parse_args()
    raise_walls(WORKER_LIMITS, [asked.path.resolve().parent] if asked.path else [])
    if asked.path is None:
        told = _build_here()
    else:
        told = asdict(measure_here(asked.path, asked.threads, asked.gpu_layers, asked.foretell))
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)  # freeing takes longer than ending


def _build_here() -> dict[str, Any]:
    from runtime import build  # not before the walls: llama.cpp starts threads

    cards = [asdict(one) for one in build.devices() if one.name != "CPU"]
    return {"flags": build.build_flags(), "offloads": build.offloads(), "cards": cards}


def measure_here(path: Path, threads: int, gpu_layers: int, foretell: bool) -> Figures:
    """Load a model and measure it once. Raises LoadFailed."""
    from runtime.backend import Backend  # not before the walls: numpy starts threads, too

    model = Backend(
        path,
        cells=MEASURE_CELLS,
        slots=1,
        batch_tokens=MEASURE_BATCH_TOKENS,
        threads=threads,
        embeds=False,
        gpu_layers=gpu_layers,
    )
    text = files("runtime").joinpath("tuning.txt").read_text()
    tokens = model.tokenize(text, special=False)[:READ_TOKENS]
    _read(model, tokens[:WARM_TOKENS])
    reading_s, place = _read(model, tokens)
    return Figures(
        prompt_tokens_per_s=len(tokens) / reading_s,
        answer_tokens_per_s=WRITTEN_TOKENS / _write(model, len(tokens), place),
        nats_per_token=_surprise(model, tokens) if foretell else 0.0,
    )


def _read(model: "Backend", tokens: list[int]) -> tuple[float, int]:
    """Seconds to read so many tokens from nothing, and where the last one's logits lie."""
    from runtime.backend import BatchPart

    model.forget()
    place, began = 0, time.perf_counter()
    for at in range(0, len(tokens), MEASURE_BATCH_TOKENS):
        [places] = model.decode([BatchPart(0, at, tokens[at : at + MEASURE_BATCH_TOKENS], 1)])
        place = places[-1]
    return time.perf_counter() - began, place


def _write(model: "Backend", at: int, place: int) -> float:
    """Seconds to write the answer's tokens, one by one."""
    from runtime.backend import BatchPart

    began = time.perf_counter()
    for step in range(WRITTEN_TOKENS):
        [places] = model.decode([BatchPart(0, at + step, [model.likeliest(place)], 1)])
        place = places[-1]
    return time.perf_counter() - began


def _surprise(model: "Backend", tokens: list[int]) -> float:
    """The mean negative log probability of each token after those before it, in nats."""
    from runtime.backend import BatchPart

    model.forget()
    total = 0.0
    for at in range(0, len(tokens) - 1, QUALITY_TOKENS):
        part = tokens[at : min(at + QUALITY_TOKENS, len(tokens) - 1)]
        [places] = model.decode([BatchPart(0, at, part, len(part))])
        for offset, place in enumerate(places):
            total -= float(model.log_chances(place)[tokens[at + offset + 1]])
    return total / (len(tokens) - 1)


def measure(path: Path, threads: int, gpu_layers: int = -1, *, foretell: bool = False) -> Figures:
    """Let a walled process measure a model. Raises LoadFailed."""
    extra = ["--foretell"] if foretell else []
    return Figures(**_ask(str(path), str(threads), str(gpu_layers), *extra))


def installed_build() -> Build:
    """What the installed llama.cpp was built for, asked of a walled process. Raises LoadFailed."""
    told = _ask()
    return Build(told["flags"], told["offloads"], tuple(told["cards"]))


def _ask(*arguments: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "runtime.measuring", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            env={"GGML_NO_BACKTRACE": "1"},
            check=True,
        )
        told: dict[str, Any] = json.loads(done.stdout[:MAX_ANSWER_BYTES])
    except (subprocess.SubprocessError, ValueError) as error:
        raise LoadFailed(
            "the model could not be measured: its process did not answer",
            "Memory may be short, or the machine too busy: stop other models and try again.",
        ) from error
    return told


if __name__ == "__main__":
    main()
