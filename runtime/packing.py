"""Puts an installed model into a catalogue's folder: files, bill of materials, signature."""

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

from runtime.errors import CatalogueFault
from runtime.manifest import blob_name
from runtime.package import BILL, FOLDER, MANIFEST, REVOKED, SIGNATURE, TARGETS, place_of
from runtime.revocation import MAX_LIST_BYTES, Revoked, read_revoked, write_revoked
from runtime.signature import sign_folder
from runtime.store import InstalledModel, Store, sha256_of, write_whole
from runtime.tuf_author import Catalogue


def pack(
    catalogue: Catalogue,
    store: Store,
    model: InstalledModel,
    bill: bytes,
    key: Path,
    password: bytes | None,
    now: datetime,
) -> list[str]:
    """Copy a model in, let its publisher's key sign it, and list its files.

    Raises CatalogueFault, UnknownBlob.
    """
    place = place_of(model.name)
    root = catalogue.folder / TARGETS / place
    shutil.rmtree(root, ignore_errors=True)
    folder = root / FOLDER
    folder.mkdir(parents=True)
    for layer in (model.manifest.config, *model.manifest.layers):
        copy = folder / blob_name(layer.digest)
        shutil.copyfile(store.held(layer.digest), copy)
        if sha256_of(copy) != layer.digest:
            raise CatalogueFault(f"a file of {model.name} is damaged", "Pull the model again.")
    (folder / MANIFEST).write_bytes(model.manifest.raw)
    (folder / BILL).write_bytes(bill)
    sign_folder(folder, root / SIGNATURE, key, password)
    files = {f"{place}/{p.relative_to(root).as_posix()}": p for p in root.rglob("*") if p.is_file()}
    manifest = f"{place}/{FOLDER}/{MANIFEST}"
    told = {"name": model.name.full, "publisher": publisher_id(key)}
    catalogue.remove(place, now)
    catalogue.add(files, {manifest: told}, now)
    return sorted(files)


def revoke(catalogue: Catalogue, revoked: Revoked, now: datetime) -> int:
    """Put a digest on the list of the revoked; how many are on it. Raises CatalogueFault."""
    path = catalogue.folder / TARGETS / REVOKED
    if path.is_file() and path.stat().st_size > MAX_LIST_BYTES:
        raise CatalogueFault("the list of revoked models is too long", "Begin a new catalogue.")
    before = read_revoked(path.read_bytes()) if path.is_file() else ()
    after = (*(one for one in before if one.digest != revoked.digest), revoked)
    content = write_revoked(after)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    catalogue.add({REVOKED: path}, {}, now)
    return len(after)


def publisher_id(key: Path) -> str:
    """By what a publisher's key is known: the SHA-256 of the file with the public one."""
    public = key.with_name(f"{key.name}.pub")
    try:
        return hashlib.sha256(public.read_bytes()).hexdigest()
    except OSError as error:
        raise CatalogueFault(
            f"there is no {public.name} beside the key", "It was written with the key."
        ) from error
