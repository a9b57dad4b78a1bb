"""The counts that take longer than a test run; `make prove` writes them to docs/evidence.md.

python -m benchmarks.prove [--corpus DIR]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from lamplight.testing import Running, lamplight, run

ROOT = Path(__file__).parent.parent
EVIDENCE = ROOT / "docs" / "evidence.md"
DEPARTMENT = "evidence"
IMAGE_ONLY = 2
# The best plain assembly (words alone) on the documents alone; with distractors it reaches .820.
PLAIN_MRR = 0.857


def main() -> None:
    """Run every proof; stop with status 1 if one does not hold, after writing all of them down."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "data")
    corpus = options.parse_args().corpus
    rows = list(prove(corpus))
    write(rows)
    for name, value, holds in rows:
        print(f"{'holds' if holds else 'FAILS'}  {name}: {value}")
    raise SystemExit(0 if all(holds for _, _, holds in rows) else 1)


Row = tuple[str, str, bool]
# What is counted, the variable that sets how many, how many, and the test.
FULL_COUNTS = (
    ("AZ-2 cross-department searches", "AZ_2_QUERIES", 10_000, "tests/rag/test_wall.py"),
    ("AUD-2 random trees", "AUD_2_TREES", 2_000, "tests/governance/audit/test_merkle.py"),
    ("AUD-4 kills under load", "AUD_4_KILLS", 200, "tests/governance/audit/test_log.py"),
    ("AUD-4 power cuts", "AUD_4_CUTS", 200, "tests/governance/audit/test_power_cut.py"),
)


def prove(corpus: Path) -> Iterator[Row]:
    """Load the real documents, score the search, load again; each row says whether it holds."""
    yield from counts()
    questions = str(corpus / "qa-dev.jsonl")
    with lamplight("--no-samples") as running:
        loaded, seconds = ingest(running, corpus / "qa-dev-docs")
        passages = sum(file["passages"] for file in loaded["files"])
        yield "question documents loaded", f"{loaded['loaded']}", loaded["failed"] == 0
        per_minute = loaded["loaded"] / seconds * 60
        speed = f"{per_minute:.0f} documents/min, {passages / seconds:.1f} passages/s"
        yield "speed of loading them", speed, True
        yield "search, documents alone", *figures(running, questions)
        yield from policies(running, corpus / "policies")
        yield "search, with the policies as distractors", *figures(running, questions)


def counts() -> Iterator[Row]:
    """The tests that the suite runs with small numbers, with their full ones."""
    for name, variable, count, test in FULL_COUNTS:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--timeout", "7200", str(ROOT / test)],
            env={**os.environ, variable: str(count)},
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        said = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:]
        seconds = time.perf_counter() - began
        yield f"{name}: {count}", f"{said} ({seconds:.0f} s)", done.returncode == 0


def policies(running: Running, folder: Path) -> Iterator[Row]:
    """All real policies are loaded, the image-only ones refused by name; twice changes nothing."""
    first, seconds = ingest(running, folder)
    wanted = sum(1 for path in folder.iterdir() if path.name != "MANIFEST.tsv")
    refused = [Path(f["path"]).name for f in first["files"] if f["state"] == "refused"]
    passages = sum(file["passages"] for file in first["files"])
    loaded = f"{first['loaded']} of {wanted}, {passages} passages, {seconds:.0f} s"
    yield "policies loaded", loaded, first["loaded"] == wanted - IMAGE_ONLY
    yield "policies refused, by name", ", ".join(refused), len(refused) == IMAGE_ONLY
    again, _ = ingest(running, folder)
    counts = f"{again['loaded']} loaded, {again['duplicate']} already there"
    same = again["loaded"] == 0 and again["duplicate"] == first["loaded"]
    yield "the same policies again", counts, same


def figures(running: Running, questions: str) -> tuple[str, bool]:
    """Recall, rank and speed of the search, and whether the rank is better than words alone."""
    arguments = ("eval", questions, "--retrieval-only", "--json", "--department", DEPARTMENT)
    told = json.loads(run(*arguments, data_dir=running.data_dir).stdout)
    found = ", ".join(f"{name} {value:.3f}" for name, value in told["retrieval"].items())
    speed = f"search p95 {told['latency_ms']['search_p95']:.0f} ms"
    return f"{found}; {speed}", told["retrieval"]["mrr@10"] > PLAIN_MRR


def ingest(running: Running, folder: Path) -> tuple[dict[str, Any], float]:
    """Load a folder; the command's own account of it, and the seconds it took."""
    began = time.perf_counter()
    arguments = ("ingest", str(folder), "--json", "--department", DEPARTMENT)
    found: dict[str, Any] = json.loads(run(*arguments, data_dir=running.data_dir).stdout)
    return found, time.perf_counter() - began


def write(rows: list[Row]) -> None:
    """Note commit, machine and results."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout.strip()
    lines = [
        "# Evidence",
        "",
        "Written by `make prove`.",
        "",
        f"Commit {commit}, {datetime.now(UTC):%Y-%m-%d}; {describe()}.",
        "",
        "| what | result | holds |",
        "|---|---|---|",
        *(f"| {name} | {value} | {'yes' if holds else '**no**'} |" for name, value, holds in rows),
    ]
    EVIDENCE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
