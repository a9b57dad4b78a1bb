"""Loads the sample policies at the very first start, so that there is something to ask."""

import csv
from collections.abc import Callable
from pathlib import Path

from lamplight.client import PlatformClient
from lamplight.loading import load
from lamplight.settings import Settings

FOLDER = Path(__file__).parent.parent / "samples"
DEPARTMENT = "demo"


def load_samples(settings: Settings, report: Callable[[str], None]) -> None:
    """Load the samples into the department `demo`, unless there is a department already."""
    client = PlatformClient(settings.admin_socket)
    try:
        if client.get("/api/v1/departments")["departments"]:
            return
        report("Loading the sample policies into the department demo")
        client.department(DEPARTMENT, create=True)
        fields = policy_list(FOLDER / "policies.csv")
        files = [(path, path.name) for path in sorted(FOLDER / name for name in fields)]
        outcomes = load(
            client,
            files,
            lambda path: {"department": DEPARTMENT, **fields[path.name]},
            lambda _outcome, _job: None,
        )
        for outcome in outcomes:
            if outcome.error is not None:
                report(f"{Path(outcome.path).name}: {outcome.error['message']}")
    finally:
        client.close()


def policy_list(path: Path) -> dict[str, dict[str, str | None]]:
    """The policy fields by file name, from a list with one line for each file."""
    with path.open(newline="") as lines:
        rows = {row.pop("file"): row for row in csv.DictReader(lines)}
    return {
        name: {field: value or None for field, value in row.items()} for name, row in rows.items()
    }
