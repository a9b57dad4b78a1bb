"""What is installed beside the platform, read from the models directory each time.

A chat or embedding server that is not our own runtime tells no digest that we could check. What it
serves is known by its address and name instead: an approval of that says whom we trust, not what.
"""

import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit

from governance.dossier import Origin
from governance.inventory import InstalledModel
from governance.model_guard import NamedModel
from lamplight.model_origin import origin_of
from lamplight.pinned import is_pinned
from rag.config import RagSettings
from runtime.catalog import Catalog, builtin_catalog
from runtime.errors import ModelRuntimeError
from runtime.names import parse_name
from runtime.store import InstalledModel as StoredModel
from runtime.store import Store


class ModelShelf:
    """The models of one data directory, and those of the servers that its settings name."""

    def __init__(self, store: Store, settings: RagSettings, catalog: Catalog | None = None) -> None:
        self._store = store
        self._settings = settings
        self._catalog = catalog or builtin_catalog()
        # By the digest that names all of it, so that none of these ever changes.
        self._origins: dict[str, Origin] = {}

    def find(self, name: str, *, embeds: bool = False) -> NamedModel | None:
        """The model of this name at the server that chat, or embedding, is asked of.

        None where our own runtime has none of that name: it will say so itself.
        """
        url = self._settings.embed_url if embeds else self._settings.chat_url
        if not self._is_ours(url):
            return NamedModel(name, foreign_digest(url, name), pinned=False)
        try:
            model = self._store.read(parse_name(name))
        except ModelRuntimeError:
            return None
        return named(self._catalog, model)

    def installed(self) -> Sequence[InstalledModel]:
        """Every installed model, each digest once, and those of other servers."""
        found: dict[str, InstalledModel] = {}
        for model in sorted(self._store.models(), key=lambda one: str(one.name)):
            digest = model.manifest.digest
            names = (*(found[digest].names if digest in found else ()), str(model.name))
            found[digest] = self._installed(model, names)
        return (*found.values(), *self._elsewhere())

    def origin(self, digest: str) -> Origin:
        """What an installed model is made of; nothing is known of one that is elsewhere."""
        if digest not in self._origins:
            mine = (one for one in self._store.models() if one.manifest.digest == digest)
            model = next(mine, None)
            if model is None:
                return Origin()
            try:
                self._origins[digest] = origin_of(model, self._catalog)
            except (ModelRuntimeError, OSError):
                return Origin()  # damaged: it cannot be loaded either, and says why there
        return self._origins[digest]

    def _installed(self, model: StoredModel, names: tuple[str, ...]) -> InstalledModel:
        entry = self._catalog.find(model.name)
        return InstalledModel(
            digest=model.manifest.digest,
            names=names,
            pinned=is_pinned(self._catalog, model.manifest),
            licence=entry.licence if entry else "",
            size_bytes=model.manifest.size_bytes,
        )

    def _elsewhere(self) -> list[InstalledModel]:
        settings = self._settings
        chat = settings.chat_url, settings.chat_model
        embedding = settings.embed_url, settings.embed_model
        return [
            InstalledModel(foreign_digest(url, name), (name,), False, "", 0)
            for url, name in dict.fromkeys((chat, embedding))
            if not self._is_ours(url)
        ]

    def _is_ours(self, url: str) -> bool:
        ours = self._settings.runtime_url
        return not ours or _place(url) == _place(ours)


def named(catalog: Catalog, model: StoredModel) -> NamedModel:
    """How governance knows an installed model."""
    return NamedModel(str(model.name), model.manifest.digest, is_pinned(catalog, model.manifest))


def foreign_digest(url: str, name: str) -> str:
    """What stands for a model of another server: of its address and its name there."""
    return hashlib.sha256(f"server {url.rstrip('/')} {name}".encode()).hexdigest()


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return parts.scheme, host, parts.port
