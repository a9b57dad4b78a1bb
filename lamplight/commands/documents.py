"""`lamplight ingest`: loads files and folders, shows progress, and says what failed and why."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from lamplight.commands.options import AsJson, Data, Department, notes, platform, print_json
from lamplight.errors import BadUse
from lamplight.loading import FileOutcome, find_files, load, summary
from lamplight.policy_lists import fields_by_file

PUBLISHED_BY_COMMAND = "Put in force by `lamplight ingest --publish`."
STAGES = {"reading": "reading", "embedding": "embedding", "indexing": "indexing"}


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    department: Department = None,
    publish: Annotated[
        bool,
        typer.Option(
            "--publish", help="Put it in force at once, without a second person; is recorded."
        ),
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why it is put in force at once.")
    ] = PUBLISHED_BY_COMMAND,
    replaces: Annotated[
        str | None,
        typer.Option("--replaces", help="Id of the document whose next version the one file is."),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list",
            help="A policy list (CSV or XLSX): numbers, owners and dates, by file name.",
        ),
    ] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Load policy files; ends with 0 if all were loaded, 1 if some failed, 2 on wrong use."""
    found = find_files(paths)
    if not found.files:
        raise BadUse("There is no document to load.", "Name files, or folders that hold some.")
    if replaces is not None and len(found.files) != 1:
        raise BadUse("--replaces is for one file.", "Name the one file that is the next version.")
    if found.skipped:
        names = ", ".join(path.name for path in found.skipped[:5])
        notes.print(f"Skipped, being no documents: {names}", style="dim")
    fields = fields_by_file(listed, [path for path, _ in found.files]) if listed else {}
    with platform(data, "ingest") as (client, _settings):
        name, is_new = client.department(department, create=True)
        if is_new:
            notes.print(f"Created the department {name}.")
        with _progress() as progress:
            outcomes = load(
                client,
                found.files,
                lambda path: {
                    **fields.get(path.name.casefold(), {}),
                    "department": name,
                    "override_reason": reason if publish else None,
                    "replaces": replaces,
                },
                _show(progress, len(found.files)),
            )
    _report(outcomes, publish, as_json=as_json)
    if any(outcome.state in ("refused", "failed") for outcome in outcomes):
        raise typer.Exit(1)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[stage]}", style="dim"),
        console=notes,
        transient=True,
        disable=not notes.is_terminal,
    )


def _show(progress: Progress, file_count: int) -> Callable[[FileOutcome, Mapping[str, Any]], None]:
    """One bar for all files, and one for each file that is being worked on."""
    whole = progress.add_task("All files", total=file_count, stage="")
    bars: dict[str, TaskID] = {}
    ended: set[str] = set()

    def show(outcome: FileOutcome, job: Mapping[str, Any]) -> None:
        if outcome.state != "queued":
            if outcome.path not in ended:
                ended.add(outcome.path)
                progress.advance(whole)
            if outcome.path in bars:
                progress.remove_task(bars.pop(outcome.path))
        elif job.get("state") == "running":
            if outcome.path not in bars:
                bars[outcome.path] = progress.add_task(
                    Path(outcome.path).name[:40], total=None, stage=""
                )
            progress.update(
                bars[outcome.path],
                completed=job["done"],
                total=job["total"] or None,
                stage=STAGES.get(job["stage"], ""),
            )

    return show


def _report(outcomes: Sequence[FileOutcome], published: bool, *, as_json: bool) -> None:
    result = summary(outcomes)
    if as_json:
        print_json(result)
        return
    troubles = [outcome for outcome in outcomes if outcome.error is not None]
    if troubles:
        table = Table("File", "Why it was not loaded", "What to do", title="Not loaded")
        for outcome in troubles:
            error = outcome.error or {}
            table.add_row(Path(outcome.path).name, error["message"], error["hint"])
        notes.print(table)
    notes.print(
        f"{result['loaded']} loaded, {result['duplicate']} already there, "
        f"{result['refused']} refused, {result['failed']} failed."
    )
    if result["loaded"] and not published:
        notes.print("What was loaded is a draft: submit and approve it on the page Review.")
