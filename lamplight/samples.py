"""Loads the sample policies at the very first start, so that there is something to ask."""

from collections.abc import Callable
from pathlib import Path

from ingest.policy_list import read_policy_list
from lamplight.client import PlatformClient
from lamplight.loading import load
from lamplight.policy_lists import fields_by_file
from lamplight.settings import Settings

FOLDER = Path(__file__).parent.parent / "samples"
LIST = FOLDER / "policies.csv"
DEPARTMENT = "demo"
REASON = "A sample of a fictional hospital, loaded at the first start."


def load_samples(settings: Settings, report: Callable[[str], None]) -> None:
    """Load the samples into the department `demo`, unless there is a department already."""
    client = PlatformClient(settings.admin_socket)
    try:
        if client.get("/api/v1/departments")["departments"]:
            return
        report("Loading the sample policies into the department demo")
        client.department(DEPARTMENT, create=True)
        files = [(path, path.name) for path in sample_files()]
        fields = fields_by_file(LIST, [path for path, _ in files])
        outcomes = load(
            client,
            files,
            lambda path: {
                "department": DEPARTMENT,
                "override_reason": REASON,
                **fields[path.name],
            },
            lambda _outcome, _job: None,
        )
        for outcome in outcomes:
            if outcome.error is not None:
                report(f"{Path(outcome.path).name}: {outcome.error['message']}")
    finally:
        client.close()


def sample_files() -> tuple[Path, ...]:
    """The samples that are policies in force: those of which the list speaks."""
    rows = read_policy_list(LIST.read_bytes(), LIST.name).rows
    return tuple(sorted(FOLDER / row.file for row in rows if row.file))
