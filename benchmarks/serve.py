"""Chat under load: ours and any OpenAI-compatible server, one after the other in one run.

python -m benchmarks.serve [--model NAME] [--users 1,4,10] [--rounds N]
    [--llama-server PATH [--slots 1,4,10]] [--peer NAME=URL ...]

Each round asks about six new topics in a cold pass and asks other questions about them in a warm
one. Prompts have about 1,100 tokens, answers at most 48, temperature 0.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.figures import spread
from benchmarks.machine import describe
from benchmarks.topics import Ask, load
from lamplight.settings import child_environment
from lamplight.supervisor import free_port, lamplight_command
from lamplight.testing import HOST, SMALL_CHAT_MODEL
from runtime.names import parse_name
from runtime.store import Store

MODELS = Path("~/.cache/lamplight/models").expanduser()
ANSWER_TOKENS = 48
TOPICS, EACH = 6, 2
SLOT_CONTEXT_TOKENS = 2048
START_S, REQUEST_S = 120, 600


@dataclass(frozen=True, slots=True)
class Server:
    """A server under test; model: its name there."""

    name: str
    url: str
    model: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one request: seconds to its first text and to its end; answer tokens."""

    first_s: float
    end_s: float
    tokens: int


Pass = tuple[float, list[Reply]]  # seconds, and what came of each request


def main() -> None:
    """Put every server under the same load, print one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default=SMALL_CHAT_MODEL)
    options.add_argument("--users", default="1,4,10")
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--llama-server", type=Path)
    options.add_argument("--slots", default="1,4,10")
    options.add_argument("--peer", action="append", default=[], metavar="NAME=URL")
    options.add_argument("--without-ours", action="store_true")
    chosen = options.parse_args()
    users = [int(number) for number in chosen.users.split(",")]
    told: dict[str, Any] = {"machine": describe(), "model": chosen.model, "servers": {}}
    for starting in servers(chosen):
        with starting as server:
            told["servers"][server.name] = measure(server, users, chosen.rounds)
            print(server.name, json.dumps(told["servers"][server.name]), file=sys.stderr)
    print(json.dumps(told, indent=2))


def servers(chosen: argparse.Namespace) -> Iterator[contextlib.AbstractContextManager[Server]]:
    """Each server in its turn; none runs while another is measured."""
    if not chosen.without_ours:
        yield ours(chosen.model)
    if chosen.llama_server:
        for slots in map(int, chosen.slots.split(",")):
            yield llama_server(chosen.llama_server, chosen.model, slots)
    for peer in chosen.peer:
        name, _, url = peer.partition("=")
        yield contextlib.nullcontext(Server(name, url, chosen.model))


@contextmanager
def ours(model: str) -> Iterator[Server]:
    """Our runtime alone, with a data directory of its own."""
    port = free_port(HOST)
    with tempfile.TemporaryDirectory() as folder:
        command = lamplight_command("serve", "--data", folder, "--port", str(port))
        environment = child_environment({"runtime.models_dir": MODELS})
        with running(command, port, "/api/version", environment):
            yield Server("lamplight", f"http://{HOST}:{port}", model)


@contextmanager
def llama_server(program: Path, model: str, slots: int) -> Iterator[Server]:
    """llama.cpp's own server with the same file."""
    port = free_port(HOST)
    file = Store(MODELS).read(parse_name(model)).path
    context = str(SLOT_CONTEXT_TOKENS * slots)
    command = [str(program), "-m", str(file), "-np", str(slots), "-c", context]
    command += ["--host", HOST, "--port", str(port), "--no-webui"]
    with running(command, port, "/health"):
        yield Server(f"llama-server -np {slots}", f"http://{HOST}:{port}", model)


@contextmanager
def running(
    command: list[str], port: int, path: str, environment: dict[str, str] | None = None
) -> Iterator[None]:
    """A process for the length of the block, once it answers."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment)
    try:
        deadline = time.monotonic() + START_S
        while not answers(f"http://{HOST}:{port}{path}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} did not start")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    """Whether the server is ready."""
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, trust_env=False).status_code == 200
    return False


def measure(server: Server, users: list[int], rounds: int) -> dict[str, Any]:
    """Figures by number of users: medians over the rounds."""
    asyncio.run(one_pass(server, load(1, 1, 1, 1, 0)))  # loads the model
    told: dict[str, Any] = {}
    for count in users:
        cold: list[Pass] = []
        warm: list[Pass] = []
        for number in range(rounds):
            seed = 100 * count + number
            for passes, question in ((cold, 0), (warm, 3)):
                plan = load(seed, count, EACH, TOPICS, question)
                passes.append(asyncio.run(one_pass(server, plan)))
        told[f"{count} users"] = {"cold": figures(cold), "warm": figures(warm)}
    return told


async def one_pass(server: Server, plan: list[list[Ask]]) -> Pass:
    """Every user asks one question after the other, all users at once; seconds, and replies."""
    # A connection for each request: some servers close idle ones just when they are used again.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=server.url, timeout=REQUEST_S, trust_env=False, limits=limits
    ) as client:
        began = time.perf_counter()
        replies = await asyncio.gather(*(user(client, server, asks) for asks in plan))
    return time.perf_counter() - began, [reply for theirs in replies for reply in theirs]


async def user(client: httpx.AsyncClient, server: Server, asks: list[Ask]) -> list[Reply]:
    """One person's questions."""
    return [await ask(client, server, one) for one in asks]


async def ask(client: httpx.AsyncClient, server: Server, one: Ask) -> Reply:
    """One streamed answer."""
    body = {
        "model": server.model,
        "messages": list(one.messages),
        "max_tokens": ANSWER_TOKENS,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    began = time.perf_counter()
    first_s, tokens = 0.0, 0
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line.removeprefix("data: "))
            if not first_s and any(c["delta"].get("content") for c in chunk["choices"]):
                first_s = time.perf_counter() - began
            if usage := chunk.get("usage"):
                tokens = usage["completion_tokens"]
    return Reply(first_s, time.perf_counter() - began, tokens)


def figures(passes: list[Pass]) -> dict[str, Any]:
    """Requests and tokens a minute (medians of the rounds), and the spread of the first text."""
    replies = [reply for _, theirs in passes for reply in theirs]
    return {
        "requests_per_min": round(median(60 * len(r) / s for s, r in passes), 1),
        "answer_tokens_per_request": round(sum(r.tokens for r in replies) / len(replies), 1),
        "first_text_s": spread([reply.first_s for reply in replies]),
    }


if __name__ == "__main__":
    main()
