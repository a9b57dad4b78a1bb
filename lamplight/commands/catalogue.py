"""`lamplight catalogue`: make, sign and publish a catalogue of models, and trust one.

Those who choose models do the first; a site without a network does the second, once, and then
takes models from a medium with `lamplight pull NAME --from FOLDER`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from governance.events import Action
from lamplight.commands.model_changes import recorded
from lamplight.commands.options import Data, notes, results
from lamplight.errors import CommandError
from lamplight.installing import model_store
from lamplight.settings import load_settings
from runtime.errors import ModelRuntimeError
from runtime.names import parse_name

# What signs and reads catalogues is imported by the commands: it takes a second.
app = typer.Typer(help="Models on a signed medium, for sites without a network.")
Folder = Annotated[Path, typer.Argument(help="The catalogue's folder.")]
Key = Annotated[Path, typer.Option("--key", help="A private key.")]
Ask = Annotated[bool, typer.Option("--passphrase", help="Ask for the key's passphrase.")]
Keys = Annotated[list[Path], typer.Option(help="A public key; may be said several times.")]


@app.command("key")
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes.")],
    publisher: Annotated[
        bool, typer.Option("--publisher", help="One that signs models, not the catalogue.")
    ] = False,
    passphrase: Ask = False,
) -> None:
    """Make a key; the public one is written beside it, as FILE.pub."""
    from runtime.tuf_author import make_key

    with _clear():
        results.print(str(make_key(file, _asked(passphrase, confirm=True), publisher=publisher)))


@app.command("make")
def make(
    folder: Folder,
    root: Keys,
    targets: Keys,
    station: Keys,
    root_threshold: Annotated[int, typer.Option(help="How many root keys must sign.")] = 1,
    targets_threshold: Annotated[int, typer.Option(help="How many must sign the list.")] = 1,
) -> None:
    """Begin a catalogue: root and an empty list, which their keys then sign."""
    from runtime.tuf_author import Catalogue, RoleKeys

    roles = {
        "root": RoleKeys(root, root_threshold),
        "targets": RoleKeys(targets, targets_threshold),
        "snapshot": RoleKeys(station),
        "timestamp": RoleKeys(station),
    }
    with _clear():
        Catalogue.make(folder, roles, _now())
    notes.print(f"Begun. Those who hold the keys sign: lamplight catalogue sign {folder} --key KEY")


@app.command("add")
def add(
    folder: Folder,
    model: Annotated[str, typer.Argument(help="An installed model.")],
    key: Key,
    passphrase: Ask = False,
    data: Data = None,
) -> None:
    """Put an installed model in, signed by its publisher's key, with its bill of materials."""
    from lamplight.model_bill import bill_of_model
    from runtime.packing import pack
    from runtime.tuf_author import Catalogue

    store = model_store(load_settings(data))
    with _clear():
        found = store.read(parse_name(model))
        bill, secret = bill_of_model(store, found), _asked(passphrase)
        pack(Catalogue(folder), store, found, bill, key, secret, _now())
    notes.print(f"{model} is in the draft of the list, which its keys must sign")


@app.command("revoke")
def revoke(
    folder: Folder,
    digest: Annotated[str, typer.Argument(help="sha256:HEX of a model's manifest or file.")],
    reason: Annotated[str, typer.Option(help="Why; the sites' audit trails will say it.")],
) -> None:
    """Put a digest on the list of those that no site may use any more."""
    from runtime.packing import revoke as put_on_list
    from runtime.revocation import Revoked
    from runtime.tuf_author import Catalogue

    with _clear():
        put_on_list(Catalogue(folder), Revoked(digest, reason), _now())
    notes.print("It is in the draft of the list, which its keys must sign")


@app.command("renew-root")
def renew_root(folder: Folder) -> None:
    """Write the next root with a later end; its keys must sign it."""
    from runtime.tuf_author import Catalogue

    with _clear():
        Catalogue(folder).renew_root(_now())


@app.command("sign")
def sign(folder: Folder, key: Key, passphrase: Ask = False) -> None:
    """Sign the newest root and list, as far as this key may."""
    from runtime.tuf_author import Catalogue, read_signer

    with _clear():
        for name in Catalogue(folder).sign(read_signer(key, _asked(passphrase))):
            results.print(name)


@app.command("publish")
def publish(folder: Folder, key: Key, passphrase: Ask = False) -> None:
    """Let sites see the newest list, or keep it fresh; the station's key does that."""
    from runtime.tuf_author import Catalogue, read_signer

    with _clear():
        version = Catalogue(folder).publish(read_signer(key, _asked(passphrase)), _now())
    notes.print(f"Version {version} of the list is published")


@app.command("list")
def list_files(folder: Folder) -> None:
    """The newest list as JSON, whether signed or not."""
    import json
    import sys

    from runtime.tuf_author import Catalogue

    with _clear():
        sys.stdout.write(json.dumps(Catalogue(folder).listed(), indent=2, sort_keys=True) + "\n")


@app.command("trust")
def trust(
    root: Annotated[Path, typer.Argument(help="ROOT.json, from another source than the medium.")],
    publisher: Annotated[
        list[Path] | None, typer.Option(help="A publisher's public key; may be repeated.")
    ] = None,
    data: Data = None,
) -> None:
    """Trust a catalogue's root, and publishers of models. Compare what it prints by telephone."""
    from runtime.admission import trust_of

    settings = load_settings(data)
    with recorded(settings, Action.CATALOGUE_TRUSTED, root.name):
        digest = trust_of(settings.runtime).install(root, publisher or [])
    results.print(f"root {digest}")


@app.command("refresh")
def refresh(folder: Folder, data: Data = None) -> None:
    """Block what the catalogue on a medium revokes, without installing anything."""
    from lamplight.catalogue import take_revocations

    count = take_revocations(load_settings(data), folder)
    notes.print(f"{count} digests are revoked")


@contextmanager
def _clear() -> Iterator[None]:
    try:
        yield
    except ModelRuntimeError as error:
        raise CommandError(error.message, error.hint) from error


def _asked(wanted: bool, *, confirm: bool = False) -> bytes | None:
    if not wanted:
        return None
    said: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return said.encode()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
