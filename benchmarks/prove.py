"""The counts that take longer than a test run; `make prove` writes them to docs/evidence.md.

python -m benchmarks.prove [--corpus DIR]
"""

import argparse
import json
import subprocess
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


def main() -> None:
    """Run every proof; stop with status 1 if one does not hold, after writing all of them down."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "data")
    corpus = options.parse_args().corpus
    rows = [*policies(corpus), *retrieval(corpus)]
    write(rows)
    for name, value, holds in rows:
        print(f"{'holds' if holds else 'FAILS'}  {name}: {value}")
    raise SystemExit(0 if all(holds for _, _, holds in rows) else 1)


Row = tuple[str, str, bool]


def policies(corpus: Path) -> Iterator[Row]:
    """All real policies are loaded, the image-only ones refused by name; twice changes nothing."""
    with lamplight("--no-samples") as running:
        first = ingest(running, corpus / "policies")
        wanted = sum(1 for _ in (corpus / "policies").iterdir()) - 1
        refused = [Path(f["path"]).name for f in first["files"] if f["state"] == "refused"]
        yield (
            "policies loaded",
            f"{first['loaded']} of {wanted}",
            first["loaded"] == wanted - IMAGE_ONLY,
        )
        yield "policies refused, by name", ", ".join(refused), len(refused) == IMAGE_ONLY
        again = ingest(running, corpus / "policies")
        yield (
            "the same policies again",
            f"{again['loaded']} loaded, {again['duplicate']} already there",
            again["loaded"] == 0 and again["duplicate"] == first["loaded"],
        )


def retrieval(corpus: Path) -> Iterator[Row]:
    """The development questions, on their own documents and with the policies as distractors."""
    questions = str(corpus / "qa-dev.jsonl")
    with lamplight("--no-samples") as running:
        loaded = ingest(running, corpus / "qa-dev-docs")
        yield "question documents loaded", str(loaded["loaded"]), loaded["failed"] == 0
        yield "search, documents alone", *figures(running, questions)
        ingest(running, corpus / "policies")
        yield "search, with the policies as distractors", *figures(running, questions)


def figures(running: Running, questions: str) -> tuple[str, bool]:
    """Recall and rank of the search, and whether it beats words alone at the first place."""
    arguments = ("eval", questions, "--retrieval-only", "--json", "--department", DEPARTMENT)
    found = json.loads(run(*arguments, data_dir=running.data_dir).stdout)["retrieval"]
    return ", ".join(f"{name} {value:.3f}" for name, value in found.items()), found["mrr@10"] > 0.8


def ingest(running: Running, folder: Path) -> dict[str, Any]:
    """Load a folder and give the command's own account of it."""
    arguments = ("ingest", str(folder), "--json", "--department", DEPARTMENT)
    found: dict[str, Any] = json.loads(run(*arguments, data_dir=running.data_dir).stdout)
    return found


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
