"""`lamplight backup`, `lamplight restore` and `lamplight reindex`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from governance.errors import GovernanceError
from lamplight.client import running
from lamplight.commands.options import AsJson, Data, notes, print_json
from lamplight.errors import BadUse, OperationRefused
from lamplight.manifest import SETTINGS_FILE, summary
from lamplight.settings import Settings, load_settings
from rag.errors import RagError

if TYPE_CHECKING:
    from governance.audit.note import VerifierKey
    from lamplight.restore import Restored

UNVOUCHED = (
    "Nothing but the backup itself vouches for its trail: whoever could change it could change its "
    "key as well. Restore it again with --vkey or --anchor, kept elsewhere, before you rely on it."
)

# What opens the record is imported where it is used: it takes half a second, and most commands
# leave that to the platform.


def backup_command(
    destination: Annotated[Path, typer.Argument(help="A new folder, or an earlier backup's.")],
    with_keys: Annotated[
        bool,
        typer.Option(
            "--with-keys/--without-keys",
            help="The keys and the settings file too; without them kept questions stay unreadable.",
        ),
    ] = True,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Back up the record, the originals and the keys, also while Lamplight runs."""
    settings = load_settings(data)
    place = destination.expanduser().absolute()
    with _explained():
        made = _back_up(settings, place, with_keys=with_keys)
    if as_json:
        print_json({"place": str(place), **made})
    else:
        _show_backup(place, made)
    if made["not_copied"]:
        raise typer.Exit(1)


def restore_command(
    source: Annotated[Path, typer.Argument(help="The folder that `lamplight backup` wrote.")],
    anchor: Annotated[
        list[Path] | None,
        typer.Option("--anchor", help="A folder of checkpoints kept outside this machine."),
    ] = None,
    vkey: Annotated[
        str | None,
        typer.Option("--vkey", help="The public key, kept elsewhere, that must have signed it."),
    ] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Restore a backup into an empty data directory, and check its audit trail.

    Without --anchor or --vkey only the backup speaks for itself.
    """
    from lamplight.operations import OWNER
    from lamplight.restore import restore
    from lamplight.restored_trail import Proofs

    settings = load_settings(data)
    proofs = Proofs(_parsed(vkey), tuple(anchor or ()))
    with _explained():
        restored = restore(source.expanduser().absolute(), settings, OWNER, proofs)
    if as_json:
        print_json(_restored_json(restored))
    else:
        _show_restored(settings, restored)


def reindex(as_json: AsJson = False, data: Data = None) -> None:
    """Build the search index again from the record; questions are answered meanwhile."""
    settings = load_settings(data)
    with _explained():
        passages = _rebuild(settings)
    if as_json:
        print_json({"passages": passages})
    else:
        notes.print(f"{passages} passages are in the index.")


def _back_up(settings: Settings, place: Path, *, with_keys: bool) -> dict[str, Any]:
    with running(settings) as client:
        if client is not None:
            body = {"destination": str(place), "with_keys": with_keys}
            return dict(client.post("/api/v1/backups", body))
    from lamplight.operations import back_up_alone

    return summary(back_up_alone(settings, place, with_keys=with_keys))


def _rebuild(settings: Settings) -> int:
    with running(settings) as client:
        if client is not None:
            return int(client.post("/api/v1/index/rebuild", {})["passages"])
    from lamplight.operations import rebuild_alone

    return rebuild_alone(settings)


@contextmanager
def _explained() -> Iterator[None]:
    """Give the errors of the parts below our name, so that they end in two lines."""
    try:
        yield
    except (GovernanceError, RagError) as error:
        raise OperationRefused(error.message, error.hint) from error
    except OSError as error:
        raise OperationRefused(
            f"{error.filename or 'A file'} cannot be used: {error.strerror}.",
            "Check that the folder is there, is yours and has room.",
        ) from error


def _show_backup(place: Path, made: dict[str, Any]) -> None:
    size_mb = made["size_bytes"] / 1_000_000
    notes.print(f"{made['files']} files, {size_mb:.1f} MB, are in {place}.")
    notes.print(f"The audit trail in it has {made['trail']['size']} events.", style="dim")
    if made["keys"]:
        notes.print("The keys are in it: guard it like the data directory.", style="bold")
    else:
        notes.print("The keys are not in it: kept questions cannot be read from it.", style="bold")
    for digest, reason in made["not_copied"].items():
        notes.print(f"Not in it: the original {digest} ({reason}).", style="bold red")


def _parsed(vkey: str | None) -> "VerifierKey | None":
    from governance.audit.note import NoteInvalid, parse_verifier_key

    try:
        return None if vkey is None else parse_verifier_key(vkey)
    except NoteInvalid as error:
        raise BadUse(str(error), "`lamplight audit key` prints it as it must be.") from error


def _show_restored(settings: Settings, restored: "Restored") -> None:
    notes.print(f"Restored into {settings.data_dir}: the state of {restored.manifest.made_at}.")
    _show_checked(restored)
    if not restored.manifest.has_keys:
        notes.print("The backup held no keys: new ones are made, kept questions stay closed.")
    missing = ", ".join(sorted(restored.manifest.models)) or "none"
    notes.print(f"Models it used: {missing}. Pull what is missing with `lamplight pull`.")


def _show_checked(restored: "Restored") -> None:
    checked = restored.checked
    if not checked.vouched_by:
        notes.print(f"WARNING: {UNVOUCHED}", style="bold red")
    elif beyond := restored.manifest.trail_size - checked.vouched_size:
        notes.print(f"For the last {beyond} events only the backup itself speaks.", style="bold")
    if checked.anchored_size is None:
        notes.print("No anchor was given: what was recorded since then is not known.")
    elif restored.lost_events:
        notes.print(f"{restored.lost_events} events after that are lost; the trail says so.")
    for anchor in checked.unreachable:
        notes.print(f"Not looked at, as only the backup names it: {anchor}.", style="bold")
    if restored.settings is not None:
        kept = " Yours stay." if restored.settings.name != SETTINGS_FILE else ""
        notes.print(f"Its settings are in {restored.settings}; nobody signs them: read them.{kept}")


def _restored_json(restored: "Restored") -> dict[str, Any]:
    checked = restored.checked
    return {
        **summary(restored.manifest),
        "anchored_size": checked.anchored_size,
        "lost_events": restored.lost_events,
        "vouched_by": list(checked.vouched_by),
        "vouched_size": checked.vouched_size,
        "warning": None if checked.vouched_by else UNVOUCHED,
        "anchors_unreachable": list(checked.unreachable),
        "settings": None if restored.settings is None else str(restored.settings),
    }
