"""Documents loaded per minute, passages embedded per second, and what the processes weigh.

python -m benchmarks.loading FOLDER
"""

import argparse
import json
import time
from pathlib import Path

from benchmarks.machine import command_of, descendants, describe, resident_mib
from lamplight.testing import Running, lamplight, run


def main() -> None:
    """Load a folder into a fresh Lamplight and print one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--model", default="qwen2.5-coder:1.5b")
    chosen = options.parse_args()
    with lamplight("--no-samples", chat_model=chosen.model) as running:
        began = time.perf_counter()
        loaded = json.loads(
            run(
                *("ingest", "--publish", str(chosen.folder), "--json", "--department", "benchmark"),
                data_dir=running.data_dir,
            ).stdout
        )
        seconds = time.perf_counter() - began
        passages = sum(file["passages"] for file in loaded["files"])
        print(
            json.dumps(
                {
                    "machine": describe(),
                    "folder": chosen.folder.name,
                    "loaded": loaded["loaded"],
                    "refused": [f["path"] for f in loaded["files"] if f["state"] == "refused"],
                    "failed": loaded["failed"],
                    "passages": passages,
                    "seconds": round(seconds, 1),
                    "documents_per_minute": round(loaded["loaded"] / seconds * 60, 1),
                    "passages_per_s": round(passages / seconds, 2),
                    "resident_mib": memory(running),
                },
                indent=2,
            )
        )


def memory(running: Running) -> dict[str, float]:
    """Resident memory by process, right after loading."""
    names = {" up ": "supervisor", " serve ": "runtime", " web ": "platform"}
    weights = {}
    for process_id in (running.process.pid, *descendants(running.process.pid)):
        command = f" {command_of(process_id)} "
        name = next((name for word, name in names.items() if word in command), None)
        if name in ("runtime", "platform"):
            weights[f"{name} with its children"] = round(resident_mib(process_id))
    return weights


if __name__ == "__main__":
    main()
