"""Measuring the forms of a real, tiny model, and what is kept of it."""

import json
from pathlib import Path

import pytest

from runtime.config import RuntimeSettings
from runtime.errors import LoadFailed, Quarantined, WrongDigest
from runtime.machine import Processor
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.measuring import installed_build, measure
from runtime.names import parse_name
from runtime.quantize import tool_name
from runtime.quarantine import Quarantine
from runtime.store import InstalledModel, Store, sha256_of
from runtime.testing_gguf import write_runnable_gguf
from runtime.tuning import Tuner, as_values, read_note

HERE = Processor("Test processor", 1, ("avx2",))


@pytest.fixture
def settings(tmp_path: Path) -> RuntimeSettings:
    return RuntimeSettings(models_dir=tmp_path / "models", threads=1)


@pytest.fixture
def store(settings: RuntimeSettings) -> Store:
    settings.models_dir.mkdir()
    return Store(settings.models_dir)


@pytest.fixture
def model(store: Store) -> InstalledModel:
    """A model of a few kilobytes whose weights stand in 32 bits."""
    path = store.models_dir / "tiny"
    write_runnable_gguf(path)
    digest, size = sha256_of(path), path.stat().st_size
    store.add_file(path, digest)
    config = store.add_bytes(CONFIG_TYPE, b"{}")
    store.write_model(parse_name("tiny"), make_manifest(config, (Layer(MODEL_TYPE, digest, size),)))
    return store.read(parse_name("tiny"))


def test_every_form_is_measured_and_kept_with_its_provenance(
    settings: RuntimeSettings, store: Store, model: InstalledModel
) -> None:
    """The model's own form first; source digest, tool, type, processor and figures; no file stays.

    A second look finds the note; the store has no new model and no new blob.
    """
    blobs = set((store.models_dir / "blobs").iterdir())
    steps: list[str] = []
    tuner = Tuner(settings, store, lambda: HERE)
    assert tuner.known(model) is None
    found = tuner.run(model, lambda step: steps.append(step.status))
    assert [form.type for form in found.forms] == ["F32", "Q8_0", "Q4_0"]
    assert [s for s in steps if s.startswith("measuring")][:4] == [
        "measuring F32", "measuring Q8_0", "measuring Q4_0", "measuring F32",
    ]  # fmt: skip
    assert found.source_digest == found.forms[0].digest == model.manifest.model.digest
    assert (found.tool, found.processor, found.skipped) == (tool_name(), HERE, {})
    for form in found.forms:
        assert form.figures.prompt_tokens_per_s > 0 < form.figures.answer_tokens_per_s
        assert 4 < form.figures.nats_per_token < 7  # of 269 words with random weights
    assert Tuner(settings, store, lambda: HERE).known(model) == found
    assert set((store.models_dir / "blobs").iterdir()) == blobs
    assert [str(one) for one in store.names()] == ["tiny:latest"]
    assert list((store.models_dir / "downloads").glob("tmp*")) == []


def test_figures_of_another_machine_or_of_another_setting_do_not_count(
    settings: RuntimeSettings, store: Store, model: InstalledModel
) -> None:
    """They are measured again; a damaged note is as good as none."""
    bare = Processor("Old processor", 1, ())
    tuner = Tuner(settings, store, lambda: bare)
    tuner.run(model, lambda _: None)
    assert tuner.known(model) is not None
    assert Tuner(settings, store, lambda: HERE).known(model) is None
    two = RuntimeSettings(models_dir=settings.models_dir, threads=2)
    assert Tuner(two, store, lambda: bare).known(model) is None
    [note] = (store.models_dir / "tuning").iterdir()
    assert json.loads(json.dumps(as_values(read_note(note.read_text())))) == json.loads(
        note.read_text()
    )
    note.write_text("{}")
    assert tuner.known(model) is None


def test_a_damaged_or_quarantined_model_is_not_measured(
    settings: RuntimeSettings, store: Store, model: InstalledModel
) -> None:
    """What may not be loaded is not loaded for this either."""
    tuner = Tuner(settings, store, lambda: HERE)
    with model.path.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    with pytest.raises(WrongDigest):
        tuner.run(model, lambda _: None)
    for _ in range(settings.deaths_allowed):
        Quarantine.of(settings).note_death(model.manifest.model.digest)
    with pytest.raises(Quarantined):
        tuner.run(model, lambda _: None)
    assert not (store.models_dir / "tuning").exists()


def test_a_file_that_cannot_be_loaded_is_said_so(tmp_path: Path) -> None:
    """The process that measures ends, and the caller is told what to do."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(LoadFailed, match="could not be measured"):
        measure(broken, 1)


def test_the_build_tells_what_it_was_compiled_for() -> None:
    """llama.cpp's own words; it computes on cards only if it was compiled for them."""
    build = installed_build()
    assert "CPU" in build.flags or build.offloads
    assert build.offloads or build.cards == ()
