"""The bill of materials of an installed model."""

from lamplight.errors import CommandError
from lamplight.installing import model_store
from lamplight.model_origin import template_digest
from lamplight.settings import Settings
from runtime.bom import Described, write_bill
from runtime.catalog import builtin_catalog
from runtime.errors import ModelRuntimeError
from runtime.inspect import inspect
from runtime.manifest import LICENSE_TYPE
from runtime.names import parse_name
from runtime.store import InstalledModel, Store

MAX_LICENCE_CHARS = 100  # a longer one is the text of a licence and not its name


def bill_of(settings: Settings, name: str) -> bytes:
    """CycloneDX as JSON. Raises CommandError."""
    store = model_store(settings)
    try:
        return bill_of_model(store, store.read(parse_name(name)))
    except ModelRuntimeError as error:
        raise CommandError(error.message, error.hint) from error


class Bills:
    """The bills of one store's models."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, digest: str) -> bytes | None:
        """By the digest of the manifest in hex; None if it is not here, or damaged."""
        for model in self._store.models():
            if model.manifest.digest == digest:
                try:
                    return bill_of_model(self._store, model)
                except (ModelRuntimeError, OSError):
                    return None
        return None


def bill_of_model(store: Store, model: InstalledModel) -> bytes:
    """The same for a model that was read. Raises WrongDigest, BadModelFile."""
    file = inspect(model.path)
    return write_bill(
        Described(
            name=model.name,
            manifest=model.manifest,
            file=file,
            config=model.config,
            licence=licence_of(store, model, str(file.keys.get("general.license", ""))),
            template_digest=template_digest(model, file),
        )
    )


def licence_of(store: Store, model: InstalledModel, claimed: str) -> str:
    """What the catalogue says of it, else its own layer, else the file; by name."""
    entry = builtin_catalog().find(model.name)
    if entry is not None and entry.digest == model.manifest.model.digest:
        return entry.licence
    words = store.layer_text(model, LICENSE_TYPE).strip()
    return words if 0 < len(words) <= MAX_LICENCE_CHARS else claimed
