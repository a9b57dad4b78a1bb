"""Takes a model in from a signed catalogue on a medium: all of it, or nothing.

    looked      names, kinds and sizes of the medium's files; nothing was opened
    trusted     signatures, versions and dates of the catalogue (TUF), and the list of the revoked
    copied      the model's files, exactly those that are signed, each copy checked
    signed      the publisher's signature of the folder
    billed      the bill of materials is of this model, and its licence is allowed
    inspected   what llama.cpp will read was read in a walled process first
    kept        blobs at their place, and what was seen of the catalogue remembered
    shown       the manifest is written: the model is visible

A cut at any step leaves nothing visible, and the next run begins again. That a model is here says
nothing of what it may see: an approval of its digest does.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runtime.bom import check_bill
from runtime.config import RuntimeSettings
from runtime.errors import BadModelFile, NoSpace, PackageRefused
from runtime.inspect import inspect
from runtime.manifest import (
    ADAPTER_TYPE,
    LICENSE_TYPE,
    MESSAGES_TYPE,
    MODEL_TYPE,
    PARAMS_TYPE,
    PROJECTOR_TYPE,
    SYSTEM_TYPE,
    TEMPLATE_TYPE,
    Layer,
    Manifest,
    blob_name,
    read_manifest,
)
from runtime.names import ModelName
from runtime.package import (
    BILL,
    DO_NOT_USE,
    FOLDER,
    MANIFEST,
    REVOKED,
    SIGNATURE,
    STAGING,
    TARGETS,
    look,
    place_of,
)
from runtime.pull import clear_disk_errors, free_bytes_of
from runtime.revocation import MAX_LIST_BYTES, Revoked, read_revoked
from runtime.signature import verify_folder
from runtime.store import Store, sha256_of
from runtime.tuf_client import SignedCatalogue, Trust, opened

KNOWN_LAYERS = {
    *(MODEL_TYPE, ADAPTER_TYPE, PROJECTOR_TYPE, TEMPLATE_TYPE, SYSTEM_TYPE),
    *(PARAMS_TYPE, MESSAGES_TYPE, LICENSE_TYPE),
}
TRUST_FOLDER = "catalogue"


class Step(StrEnum):
    """What is done next."""

    LOOKED = "looked"
    TRUSTED = "trusted"
    COPIED = "copied"
    SIGNED = "signed"
    BILLED = "billed"
    INSPECTED = "inspected"
    KEPT = "kept"
    SHOWN = "shown"


OnStep = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Package:
    """A model that was found sound, in a folder that nobody looks into."""

    name: ModelName
    manifest: Manifest
    folder: Path


def trust_of(settings: RuntimeSettings) -> Trust:
    """The trust of these settings."""
    return Trust(settings.catalogue_dir or settings.models_dir / TRUST_FOLDER)


class Admission:
    """Takes models into one store. on_revoked: told of what is revoked, before a model shows."""

    def __init__(
        self,
        settings: RuntimeSettings,
        store: Store,
        trust: Trust,
        on_revoked: Callable[[tuple[Revoked, ...]], None] = lambda _: None,
        on_step: OnStep = lambda _: None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._trust = trust
        self._on_revoked = on_revoked
        self._on_step = on_step

    def take(self, medium: Path, name: ModelName) -> Manifest:
        """Take one model in. Raises PackageRefused, BadModelFile, NoSpace, PullFailed."""
        with self._alone(name.full), self._opened(medium) as (files, catalogue):
            revoked = _revoked(catalogue)
            with self._staging() as folder:
                package = self._checked(files, catalogue, name, folder)
                self._check_not_revoked(package.manifest, catalogue, revoked)
                self._on_step(Step.KEPT)
                self._keep(package)
                self._remember(catalogue, revoked)
                self._on_step(Step.SHOWN)
                self._store.write_model(name, package.manifest)
        return package.manifest

    def renew(self, medium: Path) -> tuple[Revoked, ...]:
        """Take in what the catalogue revokes, and no model. Raises PackageRefused."""
        with self._alone("catalogue of models"), self._opened(medium) as (_, catalogue):
            revoked = _revoked(catalogue)
            self._remember(catalogue, revoked)
        return revoked

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        with (
            self._store.locked("catalogue"),
            self._store.locked(what),
            clear_disk_errors(self._store.models_dir),
        ):
            for folder in (self._store.models_dir / "downloads", self._trust.folder):
                for left in folder.glob(f"{STAGING}*"):
                    shutil.rmtree(left, ignore_errors=True)  # of a run that was cut
            yield

    @contextmanager
    def _opened(self, medium: Path) -> Iterator[tuple[dict[str, int], SignedCatalogue]]:
        self._on_step(Step.LOOKED)
        files = look(medium, self._settings)
        self._on_step(Step.TRUSTED)
        with opened(medium, self._trust) as catalogue:
            yield files, catalogue

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A folder on the disk of the store."""
        downloads = self._store.models_dir / "downloads"
        with tempfile.TemporaryDirectory(dir=downloads, prefix=STAGING) as folder:
            yield Path(folder)

    def _checked(
        self, files: dict[str, int], catalogue: SignedCatalogue, name: ModelName, folder: Path
    ) -> Package:
        place = place_of(name)
        self._on_step(Step.COPIED)
        self._copy(files, catalogue, place, folder)
        package = Package(name, read_manifest((folder / FOLDER / MANIFEST).read_bytes()), folder)
        self._on_step(Step.SIGNED)
        told = catalogue.told_of(f"{place}/{FOLDER}/{MANIFEST}")
        publisher = self._trust.publisher(str(told.get("publisher", "")))
        verify_folder(folder / FOLDER, folder / SIGNATURE, publisher)
        self._on_step(Step.BILLED)
        self._check_parts(package)
        bill = (folder / FOLDER / BILL).read_bytes()
        check_bill(bill, name, package.manifest, self._settings.allowed_licences)
        self._on_step(Step.INSPECTED)
        for layer in package.manifest.loaded:
            inspect(folder / FOLDER / blob_name(layer.digest))
        return package

    def _copy(
        self, files: dict[str, int], catalogue: SignedCatalogue, place: str, folder: Path
    ) -> None:
        """Copy a model's files: those on the medium must be those that are signed."""
        signed = catalogue.below(place)
        if not signed:
            raise PackageRefused(f"the catalogue has no {place}", "See: lamplight catalogue list")
        start = f"{TARGETS}/{place}/"
        here = {path[len(start) :] for path in files if path.startswith(start)}
        if here != set(signed):
            odd = ", ".join(sorted(here ^ set(signed))[:3])
            raise PackageRefused(f"missing, or not signed: {odd}", DO_NOT_USE)
        needed = {SIGNATURE, f"{FOLDER}/{MANIFEST}", f"{FOLDER}/{BILL}"}
        if not needed <= here:
            raise PackageRefused(f"the model has no {min(needed - here)}", DO_NOT_USE)
        self._check_sizes({path: target.length for path, target in signed.items()})
        for path in sorted(signed):
            catalogue.copy(f"{place}/{path}", folder / path)

    def _check_sizes(self, sizes: dict[str, int]) -> None:
        free = free_bytes_of(self._store.models_dir)
        if free - sum(sizes.values()) < self._settings.min_free_bytes:
            raise NoSpace(
                f"no space for the model: {sum(sizes.values()) / 1e6:,.0f} MB are needed",
                "Make room, or name another models directory with LAMPLIGHT_MODELS.",
            )
        for path in (SIGNATURE, f"{FOLDER}/{MANIFEST}", f"{FOLDER}/{BILL}"):
            if sizes[path] > self._settings.max_text_blob_bytes:
                raise PackageRefused(f"{path} is too long", DO_NOT_USE)

    def _check_parts(self, package: Package) -> None:
        """That the folder holds the manifest's blobs and nothing else, each under its digest."""
        manifest, folder = package.manifest, package.folder / FOLDER
        layers = (manifest.config, *manifest.layers)
        odd = [x.media_type for x in manifest.layers if x.media_type not in KNOWN_LAYERS]
        named = {MANIFEST, BILL, *(blob_name(layer.digest) for layer in layers)}
        if odd or {path.name for path in folder.iterdir()} != named:
            raise PackageRefused("the manifest names other files than there are", DO_NOT_USE)
        for layer in layers:
            self._check_part(folder, layer, is_text=layer not in manifest.loaded)
        _check_config((folder / blob_name(manifest.config.digest)).read_bytes())

    def _check_part(self, folder: Path, layer: Layer, *, is_text: bool) -> None:
        path = folder / blob_name(layer.digest)
        size = path.stat().st_size
        too_long = is_text and size > self._settings.max_text_blob_bytes
        if too_long or size != layer.size or sha256_of(path) != layer.digest:
            raise PackageRefused(f"{path.name} is not what the manifest names", DO_NOT_USE)

    def _check_not_revoked(
        self, manifest: Manifest, catalogue: SignedCatalogue, revoked: tuple[Revoked, ...]
    ) -> None:
        """Refuse a revoked model; the sound catalogue that says so still counts."""
        hit = next((one for one in revoked if one.hits(manifest)), None)
        if hit is not None:
            self._remember(catalogue, revoked)
            raise PackageRefused(f"the model is revoked: {hit.reason}", "Use another model.")

    def _keep(self, package: Package) -> None:
        for layer in (package.manifest.config, *package.manifest.layers):
            path = package.folder / FOLDER / blob_name(layer.digest)
            if path.exists():  # a layer may be named twice
                self._store.take(path, layer.digest)

    def _remember(self, catalogue: SignedCatalogue, revoked: tuple[Revoked, ...]) -> None:
        self._on_revoked(revoked)
        content = json.dumps([{"digest": x.digest, "reason": x.reason} for x in revoked])
        catalogue.remember(self._trust, content.encode())


def _revoked(catalogue: SignedCatalogue) -> tuple[Revoked, ...]:
    return read_revoked(catalogue.bytes_of(REVOKED, MAX_LIST_BYTES) or b"[]")


def _check_config(content: bytes) -> None:
    """That the config is an object; what it names beyond the manifest is not followed."""
    try:
        if not isinstance(json.loads(content), dict):
            raise ValueError
    except ValueError as error:
        raise BadModelFile("the model's config cannot be read", "Ask for it again.") from error
