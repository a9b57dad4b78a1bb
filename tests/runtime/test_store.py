"""The models on disk."""

import hashlib
from pathlib import Path

import pytest

from runtime.errors import BadModelFile, UnknownModel, WrongDigest
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.store import Store

NAME = parse_name("tiny:1")


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def install(store: Store, name: str = "tiny:1", content: bytes = b"weights") -> None:
    config = store.add_bytes(CONFIG_TYPE, b'{"model_family":"llama"}')
    model = store.add_bytes(MODEL_TYPE, content)
    store.write_model(parse_name(name), make_manifest(config, (model,)))


def test_a_model_written_is_read_back(tmp_path: Path) -> None:
    """The layout is Ollama's, and a model is found whatever the case of its name."""
    store = Store(tmp_path)
    install(store)
    model = store.read(parse_name("TINY:1"))
    assert (tmp_path / "manifests/registry.ollama.ai/library/tiny/1").exists()
    assert model.path.name.startswith("sha256-")
    assert model.path.read_bytes() == b"weights"
    assert model.config == {"model_family": "llama"}
    assert [str(m.name) for m in store.models()] == ["tiny:1"]


def test_a_path_with_other_letters_works(tmp_path: Path) -> None:
    """A models directory may be named in any language."""
    store = Store(tmp_path / "Modèles 模型")
    install(store)
    assert store.read(NAME).path.exists()


def test_a_model_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    """An unknown name is an error with the command that helps."""
    with pytest.raises(UnknownModel) as caught:
        Store(tmp_path).read(NAME)
    assert caught.value.hint == "Run: lamplight pull tiny:1"


def test_a_file_with_a_wrong_digest_never_becomes_a_blob(tmp_path: Path) -> None:
    """The bytes must be those that were named; what is wrong is removed."""
    store, partial = Store(tmp_path), tmp_path / "partial"
    partial.write_bytes(b"other")
    with pytest.raises(WrongDigest, match="digest mismatch, file must be downloaded again"):
        store.add_file(partial, digest_of(b"weights"))
    assert not partial.exists()
    assert not store.blob_path(digest_of(b"weights")).exists()


def test_a_model_file_that_changed_is_not_loaded(tmp_path: Path) -> None:
    """The digest is checked before a model is loaded, not only when it came."""
    store = Store(tmp_path)
    install(store)
    model = store.read(NAME)
    store.verify(model)
    model.path.write_bytes(b"tampered!")
    with pytest.raises(WrongDigest, match="damaged"):
        store.verify(model)


def test_a_missing_model_file_is_named(tmp_path: Path) -> None:
    """A manifest without its blob says which model must be pulled again."""
    store = Store(tmp_path)
    install(store)
    store.read(NAME).path.unlink()
    with pytest.raises(UnknownModel, match="missing"):
        store.verify(store.read(NAME))


def test_a_shared_blob_is_linked(tmp_path: Path) -> None:
    """A blob of a shared store is borrowed without a copy, and only if it is intact."""
    shared = Store(tmp_path / "shared")
    install(shared)
    store = Store(tmp_path / "own", (tmp_path / "shared",))
    assert store.borrow(digest_of(b"weights"))
    path = store.blob_path(digest_of(b"weights"))
    assert path.stat().st_nlink == 2
    assert not store.borrow(digest_of(b"nobody has this"))


def test_a_damaged_shared_blob_is_not_borrowed(tmp_path: Path) -> None:
    """A shared store is trusted no more than the network."""
    shared = Store(tmp_path / "shared")
    install(shared)
    shared.blob_path(digest_of(b"weights")).write_bytes(b"tampered")
    store = Store(tmp_path / "own", (tmp_path / "shared",))
    assert not store.borrow(digest_of(b"weights"))
    assert not store.blob_path(digest_of(b"weights")).exists()


def test_foreign_and_damaged_manifests_do_not_break_the_list(tmp_path: Path) -> None:
    """One bad entry hides only itself; asked for by name, it says what is wrong."""
    store = Store(tmp_path)
    install(store)
    folder = tmp_path / "manifests/registry.ollama.ai/library/tiny"
    (folder / ".swp").write_text("x")
    (folder / "2").write_text('{"layers": [{"mediaType": "x", "digest": "../../etc", "size": 1}]}')
    assert [str(m.name) for m in store.models()] == ["tiny:1"]
    with pytest.raises(BadModelFile):
        store.read(parse_name("tiny:2"))


def test_the_manifest_is_known_by_its_bytes() -> None:
    """A model's digest is the SHA-256 of its manifest as it stands on disk."""
    layer = Layer(MODEL_TYPE, digest_of(b"x"), 1)
    manifest = make_manifest(layer, (layer,))
    assert manifest.digest == hashlib.sha256(manifest.raw).hexdigest()
    assert manifest.size_bytes == 2
