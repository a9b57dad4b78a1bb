"""What is installed, what another server serves, and the embedding model's own admission."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from governance.config import GovernanceSettings
from governance.data_classes import DataClass
from governance.department_classes import ClassStore
from governance.events import SYSTEM
from governance.policies import PolicyStore
from governance.record.database import Record, open_record
from governance.testing_approvals import NOW, approved
from governance.testing_retention import actions
from lamplight.model_admission import embedding_admission
from lamplight.model_shelf import ModelShelf, foreign_digest
from lamplight.platform import model_parts
from lamplight.settings import Settings, load_settings
from rag.asker import NOBODY, Asker
from rag.errors import ModelRefused
from runtime.catalog import builtin_catalog
from runtime.describe import describe
from runtime.names import parse_name
from runtime.store import Store, sha256_of
from runtime.testing_gguf import write_runnable_gguf

VLLM = "http://gpu:8000/v1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path / "data", environment={})


@pytest.fixture
def store(settings: Settings) -> Store:
    """A store with one model that somebody brought, under two names."""
    store = Store(settings.runtime.models_dir)
    source = settings.data_dir / "brought.gguf"
    source.parent.mkdir(parents=True)
    write_runnable_gguf(source)
    path = store.blob_path(sha256_of(source))
    path.parent.mkdir(parents=True)
    source.rename(path)
    manifest = describe(store, path, None, {})
    for name in ("brought", "ward/brought:v1"):
        store.write_model(parse_name(name), manifest)
    return store


def test_a_model_under_two_names_is_one(settings: Settings, store: Store) -> None:
    """By the digest of its manifest; nobody of the catalogue knows it."""
    shelf = ModelShelf(store, settings.rag, builtin_catalog())
    [one] = shelf.installed()
    assert set(one.names) == {"brought:latest", "ward/brought:v1"}
    found = shelf.find("brought")
    assert found is not None
    assert (found.digest, found.pinned) == (one.digest, False)
    assert shelf.find("nothing") is None
    assert shelf.find("///") is None


def test_a_model_of_another_server_is_not_what_lies_here(settings: Settings, store: Store) -> None:
    """Its address and name stand for it, and what is installed under that name does not count."""
    rag = replace(settings.rag, chat_url=VLLM, chat_model="brought")
    shelf = ModelShelf(store, rag)
    found = shelf.find("brought")
    assert found is not None
    assert (found.digest, found.pinned) == (foreign_digest(VLLM, "brought"), False)
    assert found.digest != shelf.installed()[0].digest
    assert found.digest in {one.digest for one in shelf.installed()}
    embedding = shelf.find("brought", embeds=True)
    assert embedding is not None
    assert embedding.digest == shelf.installed()[0].digest
    assert shelf.find("anything") is not None


def test_localhost_is_this_machine(settings: Settings, store: Store) -> None:
    """Both spellings are our own runtime."""
    url = settings.rag.chat_url.replace("127.0.0.1", "localhost")
    assert ModelShelf(store, replace(settings.rag, chat_url=url)).find("nothing") is None


@pytest.fixture
def record(settings: Settings) -> Iterator[Record]:
    record = open_record(settings.governance)
    yield record
    record.close()


def test_apr_2_documents_of_a_department_are_embedded_by_what_is_approved_for_it(
    settings: Settings, store: Store, record: Record
) -> None:
    """Refused with an event, for a department and for all of them; then approved."""
    assert store.names()
    rag = replace(settings.rag, embed_model="brought")
    parts = model_parts(replace(settings, rag=rag), record)
    place = PolicyStore(record, settings.governance).create_department(SYSTEM, "Ward").id
    admit = embedding_admission(parts, rag, lambda: NOW)
    for asker in (Asker(department=place), NOBODY):
        with pytest.raises(ModelRefused, match="may not be used here") as no:
            admit(asker)
        assert "lamplight model propose" in no.value.hint
    assert actions(record, "model.") == ["model.refused"] * 2
    found = parts.known.find("brought", embeds=True)
    assert found is not None
    approved(parts.approvals, digest=found.digest)
    admit(Asker(department=place))
    admit(NOBODY)
    classes = ClassStore(record, GovernanceSettings(settings.data_dir))
    classes.set_class(SYSTEM, place, DataClass.CONFIDENTIAL, "Plans")
    with pytest.raises(ModelRefused):
        admit(NOBODY)


def test_a_model_that_is_not_installed_is_left_to_the_runtime_to_say(
    settings: Settings, record: Record
) -> None:
    """Our own runtime has no such file, and asks the same at its gate."""
    embedding_admission(model_parts(settings, record), settings.rag)(NOBODY)
    assert actions(record, "model.") == []
