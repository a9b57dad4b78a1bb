"""Time from a question to its sources, over HTTP, with 5,000 passages in the index.

python -m benchmarks.searching FOLDER [--queries N]
"""

import argparse
import json
import time
from pathlib import Path

from benchmarks.figures import spread
from benchmarks.machine import describe
from lamplight.testing import lamplight, run


def main() -> None:
    """Load a folder, search it with the questions of a file, print one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folders", type=Path, nargs="+")
    options.add_argument("--questions", type=Path, required=True)
    options.add_argument("--queries", type=int, default=200)
    chosen = options.parse_args()
    lines = chosen.questions.read_text().splitlines()[: chosen.queries]
    questions = [json.loads(line)["question"] for line in lines]
    with lamplight("--no-samples") as running, running.client() as client:
        loaded = json.loads(
            run(
                *(
                    "ingest",
                    "--publish",
                    *map(str, chosen.folders),
                    "--json",
                    "--department",
                    "benchmark",
                ),
                data_dir=running.data_dir,
            ).stdout
        )
        times = []
        for question in [questions[0], *questions]:
            began = time.perf_counter()
            body = {"query": question, "department": "benchmark", "k": 8}
            client.post("/api/v1/search", json=body).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
        print(
            json.dumps(
                {
                    "machine": describe(),
                    "passages": sum(file["passages"] for file in loaded["files"]),
                    "queries": len(questions),
                    "first_source_ms": spread(times[1:]),
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    main()
