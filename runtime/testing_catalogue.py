"""For tests: a catalogue with all its keys, of which a test may take any into the wrong hands."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runtime.bom import Described, write_bill
from runtime.config import RuntimeSettings
from runtime.inspect import inspect
from runtime.manifest import (
    CONFIG_TYPE,
    LICENSE_TYPE,
    MODEL_TYPE,
    SYSTEM_TYPE,
    Layer,
    make_manifest,
)
from runtime.names import parse_name
from runtime.package import METADATA, TARGETS, place_of
from runtime.packing import pack, publisher_id, revoke
from runtime.revocation import Revoked
from runtime.store import InstalledModel, Store, sha256_of
from runtime.testing_gguf import write_runnable_gguf
from runtime.tuf_author import Catalogue, RoleKeys, make_key, read_signer

NAME = "ward:1"
HOLDERS = ("root1", "root2", "root3", "pharmacy", "security", "station")


@dataclass(frozen=True, slots=True)
class Makers:
    """Those who make a catalogue: their folder, their keys and a store with the model."""

    catalogue: Catalogue
    keys: Path
    store: Store

    @property
    def place(self) -> Path:
        """Where the model's files lie on the medium."""
        return self.catalogue.folder / TARGETS / place_of(parse_name(NAME))

    @property
    def root(self) -> Path:
        """The first root."""
        return self.catalogue.folder / METADATA / "1.root.json"

    @property
    def publisher(self) -> Path:
        """The key that signs models."""
        return self.keys / "publisher"

    def pack(self, now: datetime, text: str = "You help.", key: Path | None = None) -> str:
        """Put a model with this system text in; the digest of its manifest."""
        model = self.install(text)
        bill = write_bill(
            Described(model.name, model.manifest, inspect(model.path), model.config, "MIT", "")
        )
        pack(self.catalogue, self.store, model, bill, key or self.publisher, None, now)
        return model.manifest.digest

    def install(self, text: str) -> InstalledModel:
        """A small model that llama.cpp runs, in the makers' own store."""
        file = self.keys / "tiny.gguf"
        if not file.exists():
            write_runnable_gguf(file)
        self.store.models_dir.mkdir(exist_ok=True)
        copy = self.store.models_dir / "copy"
        shutil.copyfile(file, copy)
        digest = sha256_of(copy)
        layers = (
            Layer(MODEL_TYPE, digest, file.stat().st_size),
            self.store.add_bytes(LICENSE_TYPE, b"MIT"),
            self.store.add_bytes(SYSTEM_TYPE, text.encode()),
        )
        self.store.take(copy, digest)
        config = self.store.add_bytes(CONFIG_TYPE, b'{"model_format":"gguf"}')
        self.store.write_model(parse_name(NAME), make_manifest(config, layers))
        return self.store.read(parse_name(NAME))

    def revoke(self, digest: str, now: datetime) -> None:
        """Put a digest on the list."""
        revoke(self.catalogue, Revoked(digest, "It answers wrongly."), now)

    def publish(self, now: datetime, signers: tuple[str, ...] = ("pharmacy", "security")) -> None:
        """Sign the list and publish it."""
        for holder in signers:
            self.catalogue.sign(read_signer(self.keys / holder, None))
        self.catalogue.publish(read_signer(self.keys / "station", None), now)

    def list_again(self, now: datetime) -> None:
        """List what lies there now, and publish: those who sign do not look."""
        files = {
            path.relative_to(self.catalogue.folder / TARGETS).as_posix(): path
            for path in self.place.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        place = place_of(parse_name(NAME))
        told = {f"{place}/model/manifest.json": {"publisher": publisher_id(self.publisher)}}
        self.catalogue.remove(place, now)
        self.catalogue.add(files, told, now)
        self.publish(now)


def makers_in(folder: Path, now: datetime) -> Makers:
    """A catalogue with an empty list: 2 of 3 sign for the root, 2 of 2 for the list."""
    keys = folder / "keys"
    keys.mkdir(parents=True)
    public = {name: make_key(keys / name, None, publisher=False) for name in HOLDERS}
    make_key(keys / "publisher", None, publisher=True)
    roles = {
        "root": RoleKeys([public[f"root{n}"] for n in (1, 2, 3)], 2),
        "targets": RoleKeys([public["pharmacy"], public["security"]], 2),
        "snapshot": RoleKeys([public["station"]]),
        "timestamp": RoleKeys([public["station"]]),
    }
    catalogue = Catalogue.make(folder / "medium", roles, now)
    for holder in ("root1", "root3"):
        catalogue.sign(read_signer(keys / holder, None))
    return Makers(catalogue, keys, Store(folder / "makers"))


def now_whole() -> datetime:
    """The present in whole seconds, as TUF writes times."""
    return datetime.now(UTC).replace(microsecond=0)


def long_ago() -> datetime:
    """When everything that was signed has ended by now."""
    return now_whole() - timedelta(days=200)


def settings_in(folder: Path) -> RuntimeSettings:
    """A site of its own."""
    return RuntimeSettings(models_dir=folder / "models", catalogue_dir=folder / "catalogue")
