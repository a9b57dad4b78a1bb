"""Answers of Lamplight, its parts left out one by one, and the plain assembly: one run, one table.

python -m benchmarks.answers FOLDER… --questions FILE [--sample N] [--variants NAME…] [--plain]

Every variant answers the same seeded sample of the questions, over HTTP, one after the other. A
folder that was loaded before is used again with --data.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.plain import PlainAssembly
from lamplight.settings import child_environment
from lamplight.testing import Running, run, run_with, short_folder, start, stop
from rag.evaluate import Item, score
from rag.questions import Question, read_questions

SEED = 11
DEPARTMENT = "benchmark"
# What each leaves out, as settings.
VARIANTS: dict[str, dict[str, str]] = {
    "all": {},
    "any evidence": {"LAMPLIGHT_RAG_MIN_CONFIDENCE": "0", "LAMPLIGHT_RAG_MIN_EVIDENCE": "0"},
    "lower threshold": {"LAMPLIGHT_RAG_MIN_CONFIDENCE": "0.5"},
    "higher threshold": {"LAMPLIGHT_RAG_MIN_CONFIDENCE": "0.85"},
    "no support asked": {"LAMPLIGHT_RAG_MIN_SUPPORT": "0"},
    "short prompt": {"LAMPLIGHT_RAG_PROMPT_TOKENS": "200"},
    "long prompt": {"LAMPLIGHT_RAG_PROMPT_TOKENS": "500"},
}
SHOWN = (
    ("retrieval", "mrr@10"), ("answers", "f1"), ("answers", "contains"),
    ("answers", "citation_precision"), ("answers", "citation_recall"), ("abstention", "f1"),
    ("abstention", "recall"), ("abstention", "answered_rate"), ("latency_ms", "first_token_p50"),
    ("latency_ms", "total_p50"),
)  # fmt: skip


def main() -> None:
    """Load, ask, print a Markdown table and one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folders", type=Path, nargs="+")
    options.add_argument("--questions", type=Path, required=True)
    options.add_argument("--sample", type=int, default=60)
    options.add_argument("--model", default="qwen2.5-coder:1.5b")
    options.add_argument("--variants", nargs="*", default=["all"], choices=list(VARIANTS))
    options.add_argument("--plain", action="store_true")
    options.add_argument("--data", type=Path)
    chosen = options.parse_args()
    questions = sampled(chosen.questions, chosen.sample)
    with data_folder(chosen.data) as data:
        if chosen.data is None:
            folders = map(str, chosen.folders)
            run("ingest", "--publish", *folders, "--department", DEPARTMENT, data_dir=data)
        rows = dict(measured(chosen, questions, data))
    print(f"{describe()}; {chosen.model}; {len(questions)} questions")
    print(table(rows))
    print(
        json.dumps(
            {name: {k: v for k, v in one.items() if k != "items"} for name, one in rows.items()}
        )
    )


def measured(
    chosen: argparse.Namespace, questions: Sequence[Question], data: Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The figures of each variant, and of the plain assembly."""
    file = data / "sample.jsonl"
    wanted = {one.id for one in questions}
    lines = chosen.questions.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if json.loads(line)["id"] in wanted))
    for name in chosen.variants:
        environment = child_environment({"rag.chat_model": chosen.model}) | VARIANTS[name]
        told = run_with(
            environment,
            "eval",
            str(file),
            "--json",
            "--department",
            DEPARTMENT,
            "--data",
            str(data),
        )
        yield name, json.loads(told.stdout)
    if chosen.plain:
        with served(data, chosen.model) as running:
            plain = PlainAssembly.over(chosen.folders, f"{running.runtime_url}/v1", chosen.model)
            items: list[Item] = [plain.ask(one) for one in questions]
        yield "plain assembly", score(items, {})


def sampled(path: Path, count: int) -> tuple[Question, ...]:
    """A seeded sample, in the order of the file."""
    questions = read_questions(path.read_text().splitlines())
    kept = set(random.Random(SEED).sample(range(len(questions)), min(count, len(questions))))
    return tuple(one for place, one in enumerate(questions) if place in kept)


@contextmanager
def data_folder(known: Path | None) -> Iterator[Path]:
    """A data directory with the folders loaded: the given one as it is, or a new one."""
    if known is not None:
        yield known
        return
    with short_folder() as folder:
        yield folder


@contextmanager
def served(data: Path, model: str) -> Iterator[Running]:
    """A running Lamplight of this data directory."""
    running = start(data, "--no-samples", chat_model=model)
    try:
        yield running
    finally:
        stop(running)


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The figures side by side."""
    head = "| | " + " | ".join(name for _, name in SHOWN) + " |"
    lines = [head, "|---" * (len(SHOWN) + 1) + "|"]
    for name, one in rows.items():
        values = ((one[group] or {}).get(figure) for group, figure in SHOWN)
        shown = ("-" if v is None else f"{v:.0f}" if v > 2 else f"{v:.3f}" for v in values)
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
