"""`lamplight audit verify`, `prove`, `export`, `key`: the trail, read from the record itself.

None of these asks the platform, running or not: whoever doubts the trail doubts what serves it.
`rotate-key` does ask it where one runs, because the platform signs.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.audit.anchors import Anchor
from governance.audit.checkpoint import Checkpoints
from governance.audit.export import Profile, export
from governance.audit.last_signed import LastSigned
from governance.audit.note import NoteInvalid, VerifierKey, parse_verifier_key, verifier_key
from governance.audit.rotation import signing_key
from governance.audit.verdict import Code, Verdict
from governance.audit.verify import verify
from governance.errors import GovernanceError
from governance.events import Action, Actor, Event
from governance.record.database import Record, open_record
from governance.secrets import Secrets
from lamplight.client import running
from lamplight.commands.options import AsJson, Data, notes, print_json, results
from lamplight.errors import BadUse, CommandError
from lamplight.settings import Settings, load_settings

# Whoever may read the record's files is its owner.
OWNER = Actor("local", "owner", "command")

app = typer.Typer(help="The audit trail: check it, prove it, give it out.", no_args_is_help=True)


class TrailUnusable(CommandError):
    """The trail cannot be read or signed."""


@app.command("verify")
def verify_command(
    start: Annotated[
        int, typer.Option("--from", min=0, help="The first event to read, not the first of all.")
    ] = 0,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", exists=True, help="A checkpoint that was kept elsewhere."),
    ] = None,
    anchor: Annotated[
        list[Path] | None, typer.Option("--anchor", help="A folder with copies of checkpoints.")
    ] = None,
    vkey: Annotated[
        str | None, typer.Option("--vkey", help="The key that signs. Default: the platform's.")
    ] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Check every event, hash and signature; ends with 0 where all holds.

    3: tampered with. 4: cut off. 5: another history than was signed. 6: wrong signature or key.
    """
    with _record(data) as (record, settings):
        folders = anchor or list(settings.governance.anchor_dirs)
        beside = LastSigned(settings.governance.keys_dir).note()
        with record.read() as connection:
            verdict = verify(
                connection,
                _key(settings, vkey, record),
                anchors=[Anchor(folder) for folder in folders],
                notes=[path.read_text() for path in checkpoint or []],
                beside=beside,
                start=start,
            )
    if as_json:
        print_json(_as_json(verdict))
    else:
        _tell(verdict)
    raise typer.Exit(verdict.code)


@app.command()
def prove(
    seq: Annotated[int, typer.Argument(min=0, help="The number of an event.")], data: Data = None
) -> None:
    """Print a receipt for one event, to be checked without this platform."""
    with _record(data) as (record, settings):
        sys.stdout.write(_checkpoints(record, settings).prove(seq).text)


@app.command("export")
def export_command(
    profile: Annotated[
        Profile, typer.Option(help="`phipa`: who came to see which information, in five columns.")
    ] = Profile.FULL,
    data: Data = None,
) -> None:
    """Print the events, oldest first, one JSON object a line; the export is itself an event."""
    with _record(data) as (record, _):
        event = Event(Action.AUDIT_EXPORTED, OWNER, facts={"profile": str(profile)})
        with record.write() as connection:
            record.trail.append(connection, event)
        with record.read() as connection:
            for line in export(connection, profile, None):
                sys.stdout.write(line + "\n")


@app.command()
def key(data: Data = None) -> None:
    """Print the public key that the trail is signed with; keep a copy outside this computer."""
    settings = load_settings(data)
    if _has_record(settings):
        with _record(data) as (record, _):
            found = _key(settings, None, record)
    else:
        found = _key(settings, None, None)
    results.print(str(found), markup=False, soft_wrap=True)


@app.command("rotate-key")
def rotate_key(as_json: AsJson = False, data: Data = None) -> None:
    """Let a new key sign the trail from now on, and print its public key; keep a copy elsewhere.

    An attempt that was cut short is finished. What the old key signed stays good.
    """
    settings = load_settings(data)
    told = _rotated(settings)
    if as_json:
        print_json(told)
        return
    if told["resumed"]:
        notes.print("An earlier change of the key was finished.")
    notes.print("This key signs the trail from now on; keep it where you kept the old one:")
    results.print(told["new"], markup=False, soft_wrap=True)


def _rotated(settings: Settings) -> dict[str, Any]:
    with running(settings) as client:
        if client is not None:
            return dict(client.post("/api/v1/audit/rotate-key", {}))
    from lamplight.operations import rotate_alone

    try:
        return rotate_alone(settings)
    except GovernanceError as error:
        raise TrailUnusable(error.message, error.hint) from error


@contextmanager
def _record(data: Path | None) -> Iterator[tuple[Record, Settings]]:
    settings = load_settings(data)
    if not _has_record(settings):
        raise BadUse(f"There is no record in {settings.data_dir}.", "Name another with --data.")
    try:
        record = open_record(settings.governance)
        try:
            yield record, settings
        finally:
            record.close()
    except GovernanceError as error:
        raise TrailUnusable(error.message, error.hint) from error


def _has_record(settings: Settings) -> bool:
    governance = settings.governance
    return governance.database_url is not None or (governance.data_dir / "record.db").is_file()


def _key(settings: Settings, given: str | None, record: Record | None) -> VerifierKey:
    try:
        if given is not None:
            return parse_verifier_key(given)
        return verifier_key(settings.governance.trail_origin, _secret(settings, record))
    except NoteInvalid as error:
        raise BadUse(str(error), "`lamplight audit key` prints it as it must be.") from error
    except GovernanceError as error:
        raise TrailUnusable(error.message, error.hint) from error


def _checkpoints(record: Record, settings: Settings) -> Checkpoints:
    governance = settings.governance
    return Checkpoints(
        record,
        _secret(settings, record),
        governance.trail_origin,
        governance.anchor_dirs,
        last_signed=LastSigned(governance.keys_dir),
    )


def _secret(settings: Settings, record: Record | None) -> Ed25519PrivateKey:
    secrets = Secrets(settings.governance.keys_dir)
    if record is None:
        return secrets.trail_key()
    with record.read() as connection:
        return signing_key(connection, secrets, settings.governance.trail_origin)


def _as_json(verdict: Verdict) -> dict[str, object]:
    return {
        "ok": verdict.code is Code.OK,
        "verdict": verdict.code.name.lower(),
        "events": verdict.size,
        "root": None if verdict.root is None else verdict.root.hex(),
        "checkpoints": verdict.checkpoints,
        "anchored": verdict.anchored,
        "findings": [{"kind": one.code.name.lower(), "text": one.text} for one in verdict.findings],
        "remarks": list(verdict.remarks),
    }


def _tell(verdict: Verdict) -> None:
    word = "holds" if verdict.code is Code.OK else f"does not hold: {verdict.code.name.lower()}"
    signed = f"{verdict.checkpoints} checkpoints, {verdict.anchored} kept elsewhere"
    results.print(f"The trail of {verdict.size} events {word} ({signed}).", markup=False)
    for finding in verdict.findings:
        results.print(finding.text, markup=False)
    for remark in verdict.remarks:
        notes.print(remark, style="dim", markup=False)
