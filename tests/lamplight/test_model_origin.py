"""APR-1 and APR-5: what a model is made of is read from its files, and any change is seen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from governance.basis import Trigger
from governance.config import GovernanceSettings
from governance.dossier import Origin
from lamplight.approval_basis import RETRIEVAL, basis_of, retrieval_digest
from lamplight.model_shelf import ModelShelf
from rag.config import RagSettings
from runtime.manifest import (
    ADAPTER_TYPE,
    MODEL_TYPE,
    PARAMS_TYPE,
    SYSTEM_TYPE,
    TEMPLATE_TYPE,
    Layer,
    Manifest,
    make_manifest,
)
from runtime.names import parse_name
from runtime.store import Store, sha256_of
from runtime.testing_engine import install_runnable
from runtime.testing_gguf import write_runnable_gguf

RAG = RagSettings(Path("index"), embed_model="qwen2", runtime_url="http://127.0.0.1:11434/v1")
BYTE_PAIRS = "qwen2"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return install_runnable(tmp_path, "llama", BYTE_PAIRS)


def digest(store: Store, name: str = "llama") -> str:
    return store.read(parse_name(name)).manifest.digest


def with_layer(store: Store, media_type: str, text: bytes) -> Manifest:
    before = store.read(parse_name("llama")).manifest
    return make_manifest(before.config, (*before.layers, store.add_bytes(media_type, text)))


def other_file(store: Store, folder: Path) -> Manifest:
    before = store.read(parse_name("llama")).manifest
    write_runnable_gguf(folder / "again")
    content = bytearray((folder / "again").read_bytes())
    content[-1] ^= 1
    (folder / "again").write_bytes(content)
    found, size = sha256_of(folder / "again"), len(content)
    store.add_file(folder / "again", found)
    return make_manifest(before.config, (Layer(MODEL_TYPE, found, size),))


CHANGES: dict[str, Callable[[Store, Path], Manifest]] = {
    "file or quantization": other_file,
    "template": lambda store, _: with_layer(store, TEMPLATE_TYPE, b"{{ messages }}"),
    "parameters": lambda store, _: with_layer(store, PARAMS_TYPE, b'{"temperature":1}'),
    "system text": lambda store, _: with_layer(store, SYSTEM_TYPE, b"Be brief."),
    "adapter": lambda store, _: with_layer(store, ADAPTER_TYPE, b"GGUF"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_apr_5_another_part_of_a_model_makes_another_digest(
    store: Store, tmp_path: Path, what: str
) -> None:
    """Under the same name; the approval of the one is none of the other."""
    shelf, before = ModelShelf(store, RAG), digest(store)
    store.write_model(parse_name("llama"), CHANGES[what](store, tmp_path))
    found = shelf.find("llama")
    assert found is not None
    assert found.digest != before


def test_apr_1_file_template_and_vocabulary_have_digests_of_their_own(store: Store) -> None:
    """Two models differ in file and vocabulary; a template changes that digest alone."""
    shelf = ModelShelf(store, RAG)
    first, second = (shelf.origin(digest(store, name)) for name in ("llama", BYTE_PAIRS))
    assert first.file_digest == sha256_of(store.read(parse_name("llama")).path)[7:]
    assert len(first.tokenizer_digest) == 64
    assert first.quantization == "F32"
    assert (first.file_digest, first.tokenizer_digest) != (
        second.file_digest,
        second.tokenizer_digest,
    )
    store.write_model(parse_name("llama"), with_layer(store, TEMPLATE_TYPE, b"{{ messages }}"))
    changed = shelf.origin(digest(store))
    assert len(changed.template_digest) == 64
    assert replace(changed, template_digest=first.template_digest) == first
    assert shelf.origin("0" * 64) == Origin()


@pytest.mark.parametrize("name", RETRIEVAL)
def test_apr_5_every_setting_of_the_search_counts(name: str) -> None:
    """Another number, another digest."""
    other = replace(RAG, **{name: getattr(RAG, name) + 1})
    assert retrieval_digest(other) != retrieval_digest(RAG) == retrieval_digest(replace(RAG))


def test_apr_5_what_holds_now_is_read_anew(store: Store, tmp_path: Path) -> None:
    """The embedding model by its digest; without one nothing is said of it."""
    governance = GovernanceSettings(tmp_path, evaluation_suite="5" * 64)
    read = basis_of(ModelShelf(store, RAG), RAG, governance)
    assert set(read()) == {str(one) for one in Trigger}
    assert read()[Trigger.EMBEDDING] == digest(store, BYTE_PAIRS)
    store.delete(parse_name(BYTE_PAIRS))
    assert Trigger.EMBEDDING not in read()
    plain = basis_of(ModelShelf(store, RAG), RAG, GovernanceSettings(tmp_path))
    assert set(plain()) == {"runtime", "retrieval"}
