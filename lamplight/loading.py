"""Hands files to the platform and follows their jobs until each has ended."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lamplight.client import PlatformClient
from lamplight.errors import PlatformRefused

POLL_S = 0.3
# Jobs are taken in order, so looking at the first few that are open is enough.
WATCHED_JOBS = 4
READABLE = {
    ".pdf", ".docx", ".docm", ".dotx", ".html", ".htm", ".xhtml",
    ".xlsx", ".xlsm", ".xltx", ".pptx", ".pptm", ".ppsx", ".potx", ".eml", ".msg",
    ".md", ".markdown", ".mdown", ".txt", ".text",
}  # fmt: skip
# Documents that we cannot read yet: a folder's owner must hear of them.
UNREADABLE = {
    ".doc", ".dot", ".rtf", ".odt", ".pages", ".wpd",
    ".xls", ".ods", ".ppt", ".odp",
}  # fmt: skip


@dataclass(slots=True)
class FileOutcome:
    """What became of one file; state is loaded, duplicate, refused or failed."""

    path: str
    state: str = "queued"
    document: str | None = None
    version: int | None = None
    pages: int = 0
    passages: int = 0
    error: dict[str, str] | None = None
    job: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The contract's shape."""
        values = asdict(self)
        del values["job"]
        return values


@dataclass(frozen=True, slots=True)
class Found:
    """The files behind the paths on the command line; `skipped` are no documents."""

    files: tuple[tuple[Path, str], ...]
    skipped: tuple[Path, ...]


def find_files(paths: Sequence[Path]) -> Found:
    """Every file named, and every document below every folder named, each with its shown name."""
    files: list[tuple[Path, str]] = []
    skipped: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append((path, path.name))
            continue
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            if file.suffix.lower() in READABLE | UNREADABLE and not _is_hidden(file, path):
                files.append((file, file.name))
            else:
                skipped.append(file)
    return Found(tuple(files), tuple(skipped))


def load(
    client: PlatformClient,
    files: Sequence[tuple[Path, str]],
    fields: Callable[[Path], Mapping[str, str | None]],
    on_progress: Callable[[FileOutcome, Mapping[str, Any]], None],
) -> list[FileOutcome]:
    """Load the files, one outcome each, in order; a bad file never stops the others.

    fields: what to send along with a file, `department` at least.
    on_progress: called with a file's outcome so far and its job.
    """
    outcomes = [FileOutcome(str(path)) for path, _ in files]
    for outcome, (path, name) in zip(outcomes, files, strict=True):
        _submit(client, outcome, path, name, fields(path))
        on_progress(outcome, {})
    waiting = deque(outcome for outcome in outcomes if outcome.state == "queued")
    for outcome, job in _follow(client, waiting):
        on_progress(outcome, job)
    pages = {d["document_id"]: d for d in client.get("/api/v1/documents")["documents"]}
    for outcome in outcomes:
        if outcome.document in pages and outcome.state in ("loaded", "duplicate"):
            outcome.pages = pages[outcome.document]["page_count"]
            outcome.passages = pages[outcome.document]["passage_count"]
    return outcomes


def summary(outcomes: Sequence[FileOutcome]) -> dict[str, Any]:
    """The JSON of `lamplight ingest --json`."""
    states = [outcome.state for outcome in outcomes]
    counts = {s: states.count(s) for s in ("loaded", "duplicate", "refused", "failed")}
    return {"files": [outcome.as_json() for outcome in outcomes], **counts}


def _submit(
    client: PlatformClient,
    outcome: FileOutcome,
    path: Path,
    name: str,
    fields: Mapping[str, str | None],
) -> None:
    try:
        answer = client.upload(path, name, fields)
    except PlatformRefused as refusal:
        _fail(outcome, refusal.kind, refusal.message, refusal.hint, ours=refusal.status >= 500)
        return
    except OSError as error:
        _fail(
            outcome,
            "unreadable_file",
            f"{path} cannot be opened: {error.strerror}.",
            "Check the path and your rights to the file.",
        )
        return
    outcome.document, outcome.version = answer["document"], answer["version"]
    outcome.job = answer.get("job")
    outcome.state = "queued" if outcome.job else "duplicate"


def _follow(
    client: PlatformClient, waiting: deque[FileOutcome]
) -> Iterator[tuple[FileOutcome, Mapping[str, Any]]]:
    while waiting:
        for outcome in list(waiting)[:WATCHED_JOBS]:
            job = client.get(f"/api/v1/jobs/{outcome.job}")
            if job["state"] in ("loaded", "refused", "failed"):
                outcome.state, outcome.error = job["state"], job["error"]
                if outcome.state != "loaded":
                    outcome.document = outcome.version = None
                waiting.remove(outcome)
            yield outcome, job
        if waiting:
            time.sleep(POLL_S)


def _fail(outcome: FileOutcome, kind: str, message: str, hint: str, *, ours: bool = False) -> None:
    outcome.state = "failed" if ours else "refused"
    outcome.error = {"type": kind, "message": message, "hint": hint}


def _is_hidden(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    return any(part.startswith(".") for part in parts) or file.name.startswith("~$")
