"""The counts that take longer than a test run; `make prove` writes them to docs/evidence.md.

python -m benchmarks.prove [--corpus DIR] [--only counts|corpus]

Each row is written when it is there, with the commit that it was seen at. A count that holds at
this commit already is not made again, so a run that was cut short goes on where it stopped.
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
# The best plain assembly (words alone) on the documents alone; with distractors it reaches .820.
PLAIN_MRR = 0.857


def main() -> None:
    """Run every proof; stop with status 1 if one does not hold, after writing all of them down."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "data")
    options.add_argument("--only", choices=("counts", "corpus"))
    chosen = options.parse_args()
    all_hold = True
    for name, value, holds in prove(chosen.corpus, chosen.only):
        write(name, value, holds=holds)
        print(f"{'holds' if holds else 'FAILS'}  {name}: {value}", flush=True)
        all_hold = all_hold and holds
    raise SystemExit(0 if all_hold else 1)


Row = tuple[str, str, bool]
HEADER = ("what", "result", "holds", "seen at")
# What is counted, the variable that sets how many, how many, and the test.
FULL_COUNTS = (
    ("AZ-2 cross-department searches", "AZ_2_QUERIES", 10_000, "tests/rag/test_wall.py"),
    ("AUD-2 random trees", "AUD_2_TREES", 2_000, "tests/governance/audit/test_merkle.py"),
    ("scheduler, random steps", "RUNTIME_STEPS", 100_000, "tests/runtime/test_scheduler.py"),
    ("PRV-3 mutated headers", "GGUF_MUTANTS", 50_000, "tests/runtime/test_gguf_mutants.py"),
    ("concurrent streams", "RUNTIME_STREAMS", 1_000, "tests/runtime/api/test_streams.py"),
    ("GOV-9 random acts", "GOV_9_STEPS", 20_000, "tests/governance/test_approvals_machine.py"),
    ("FLT-1 kills of a loader", "FLT_1_KILLS", 200, "tests/lamplight/test_loading_kills.py"),
    ("GOV-8 random histories", "GOV_8_HISTORIES", 10_000, "tests/ingest/test_in_force_machine.py"),
    ("AUD-4 kills under load", "AUD_4_KILLS", 200, "tests/governance/audit/test_log.py"),
    ("LLM-01 attacks obeyed", "LLM_01_CASES", 346, "tests/web/test_hostile_obedient.py"),
    ("AUD-4 power cuts", "AUD_4_CUTS", 200, "tests/governance/audit/test_power_cut.py"),
)


def prove(corpus: Path, only: str | None) -> Iterator[Row]:
    """Every proof, or only one kind; each row says whether it holds."""
    if only != "corpus":
        yield from counts()
    if only != "counts":
        yield from documents(corpus)


def documents(corpus: Path) -> Iterator[Row]:
    """Load the real documents, score the search, load again."""
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
    known = evidence()
    for name, variable, count, test in FULL_COUNTS:
        if known.get(f"{name}: {count}", ())[1:] == ("yes", commit()):
            continue
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
    """All real policies are loaded, pictures of pages among them; twice changes nothing."""
    first, seconds = ingest(running, folder)
    wanted = sum(1 for path in folder.iterdir() if path.name != "MANIFEST.tsv")
    refused = [Path(f["path"]).name for f in first["files"] if f["state"] == "refused"]
    passages = sum(file["passages"] for file in first["files"])
    loaded = f"{first['loaded']} of {wanted}, {passages} passages, {seconds:.0f} s"
    yield "policies loaded", loaded, first["loaded"] == wanted
    yield "policies refused, by name", ", ".join(refused) or "none", not refused
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
    arguments = ("ingest", "--publish", str(folder), "--json", "--department", DEPARTMENT)
    found: dict[str, Any] = json.loads(run(*arguments, data_dir=running.data_dir).stdout)
    return found, time.perf_counter() - began


def commit() -> str:
    """Where the checkout stands."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


def evidence() -> dict[str, tuple[str, ...]]:
    """What is written down: result, whether it holds, and the commit, by name."""
    lines = EVIDENCE.read_text().splitlines() if EVIDENCE.exists() else []
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return {one[0]: one[1:] for one in cells if len(one) == len(HEADER) and one[0] in names(lines)}


def names(lines: list[str]) -> set[str]:
    """The first cells of a table, without its head."""
    rows = [line for line in lines if line.startswith("| ")]
    return {line.split("|")[1].strip() for line in rows[1:]}


def write(name: str, value: str, *, holds: bool) -> None:
    """Put one row in the place of an older one of its name."""
    known = evidence() | {name: (value, "yes" if holds else "**no**", commit())}
    lines = [
        "# Evidence",
        "",
        f"Written by `make prove`, last on {datetime.now(UTC):%Y-%m-%d}; {describe()}.",
        "",
        f"| {' | '.join(HEADER)} |",
        "|---|---|---|---|",
        *(f"| {one} | {' | '.join(cells)} |" for one, cells in known.items()),
    ]
    EVIDENCE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
