"""`lamplight watch`: folders whose files are handed in by themselves, department by department."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lamplight.client import PlatformClient
from lamplight.commands.options import (
    AsJson,
    Data,
    Department,
    notes,
    platform,
    print_json,
    results,
)
from lamplight.errors import BadUse

watch = typer.Typer(
    help="Watched folders: new and changed files become drafts.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(help="The folder.")]


@watch.command("add")
def add_folder(
    path: Folder, department: Department = None, as_json: AsJson = False, data: Data = None
) -> None:
    """Watch a folder for a department; whatever is in it becomes drafts."""
    with platform(data, "watch") as (client, _settings):
        name, _ = client.department(department)
        whole = str(path.expanduser().absolute())
        made = client.post("/api/v1/folders", {"path": whole, "department": name})
    said = f"{made['path']} is watched for {name} while Lamplight runs."
    _tell(made, said, as_json=as_json)


@watch.command("list")
def list_folders(department: Department = None, as_json: AsJson = False, data: Data = None) -> None:
    """The watched folders, and what is in the way."""
    with platform(data, "watch") as (client, _settings):
        found = client.get("/api/v1/folders", department=department)
    if as_json:
        print_json(found)
        return
    table = Table("Folder", "Department", "Last look", "Documents", "Problem")
    for one in found["folders"]:
        problem = " ".join(part for part in (one["problem"], one["hint"]) if part)
        looked = (one["looked_at"] or "not yet")[:16].replace("T", " ")
        table.add_row(one["path"], one["department"], looked, str(one["files"]), problem or "none")
    results.print(table)


@watch.command("remove")
def remove_folder(
    path: Folder, department: Department = None, as_json: AsJson = False, data: Data = None
) -> None:
    """Watch a folder no longer; what came out of it stays."""
    with platform(data, "watch") as (client, _settings):
        folder = _folder(client, path, department)
        done = client.delete(f"/api/v1/folders/{folder['id']}")
    _tell(done, f"{done['path']} is not watched any more.", as_json=as_json)


@watch.command("confirm")
def confirm_folder(
    path: Folder, department: Department = None, as_json: AsJson = False, data: Data = None
) -> None:
    """Say that the many files that are gone from a folder were removed on purpose."""
    with platform(data, "watch") as (client, _settings):
        folder = _folder(client, path, department)
        done = client.post(f"/api/v1/folders/{folder['id']}/confirm", {})
    _tell(done, "Noted. The missing files are listed under Review.", as_json=as_json)


def _folder(client: PlatformClient, path: Path, department: str | None) -> Any:
    """The watched folder that is meant. Raises BadUse."""
    meant = path.expanduser()
    names = {str(meant.absolute()), str(meant.resolve())}
    known = client.get("/api/v1/folders", department=department)["folders"]
    found = [one for one in known if one["path"] in names]
    if not found:
        raise BadUse(f"The folder {path} is not watched.", "See them with: lamplight watch list.")
    if len(found) > 1:
        raise BadUse("Several departments watch this folder.", "Name one with --department.")
    return found[0]


def _tell(value: Any, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        notes.print(words, markup=False)
