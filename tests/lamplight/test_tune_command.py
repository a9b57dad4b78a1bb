"""`lamplight tune`: figures and advice; another form is made when asked, and never approved."""

import json
import platform
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select
from typer.testing import CliRunner

from governance.record.database import open_record
from governance.record.trail_tables import audit_leaves
from lamplight.cli import app
from lamplight.commands.tuning import make_form
from lamplight.pinned import is_pinned
from lamplight.settings import Settings, load_settings
from lamplight.tuning import advice, form_name, measure_at_start
from runtime.catalog import builtin_catalog
from runtime.forms import Figures
from runtime.machine import Processor
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.pull import Puller
from runtime.quantize import tool_name
from runtime.store import InstalledModel, Store, sha256_of
from runtime.testing_gguf import write_runnable_gguf
from runtime.tuning import Form, Tuner, Tuning

SMALL, FORM = "qwen2.5-coder:0.5b", "qwen2.5-coder:0.5b-q4_0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data directory with one tiny model, whose weights stand in 32 bits."""
    environment = {"LAMPLIGHT_RUNTIME_THREADS": "1", "LAMPLIGHT_CHAT_MODEL": "tiny"}
    settings = load_settings(tmp_path, environment=environment)
    store = Store(settings.runtime.models_dir)
    store.models_dir.mkdir()
    path = store.models_dir / "tiny"
    write_runnable_gguf(path)
    digest, size = sha256_of(path), path.stat().st_size
    store.add_file(path, digest)
    config = store.add_bytes(CONFIG_TYPE, b"{}")
    layers = (Layer(MODEL_TYPE, digest, size),)
    store.write_model(parse_name("tiny"), make_manifest(config, layers))
    return settings


def call(settings: Settings, *arguments: str) -> str:
    done = CliRunner().invoke(
        app, [*arguments, "--data", str(settings.data_dir)], catch_exceptions=False
    )
    assert done.exit_code == 0
    return done.stdout


def the_model(settings: Settings) -> InstalledModel:
    return Store(settings.runtime.models_dir).read(parse_name("tiny"))


def a_tuning(settings: Settings, faster: float, digest: str = "") -> Tuning:
    """Figures as if the form Q4_0 were so many times faster."""
    source = digest or the_model(settings).manifest.model.digest
    forms = (
        Form("F32", source, 10, Figures(100, 10, 3.0)),
        Form("Q4_0", "sha256:f", 5, Figures(100 * faster, 10 * faster, 3.02)),
    )
    here = Processor("P", 1, ("avx2",))
    return Tuning(source, tool_name(), here, 1, "2026-01-01T00:00:00+00:00", forms, {})


def test_tune_measures_and_switches_nothing_on(settings: Settings) -> None:
    """Figures of each form as JSON; the only model is the one that was there."""
    found = json.loads(call(settings, "tune", "tiny", "--json"))
    assert found["forms"][0]["type"] == "F32"
    assert set(found["decision"]) == {"form", "gain", "loss_nats", "reason"}
    assert [str(one) for one in Store(settings.runtime.models_dir).names()] == ["tiny:latest"]


def test_a_form_that_is_made_is_another_model_and_not_approved(settings: Settings) -> None:
    """A name of its own, its provenance, an event in the trail; no entry of the catalogue."""
    make_form(settings, the_model(settings), a_tuning(settings, faster=2))
    store = Store(settings.runtime.models_dir)
    made = store.read(parse_name("tiny:latest-q4_0"))
    source = the_model(settings).manifest.model.digest
    assert made.config["provenance"] | {"tool": ""} == {
        "source_digest": source,
        "source_type": "F32",
        "tool": "",
        "type": "Q4_0",
    }
    assert not is_pinned(builtin_catalog(), made.manifest)
    record = open_record(settings.governance)
    try:
        with record.read() as connection:
            query = select(audit_leaves.c.action).order_by(audit_leaves.c.seq)
            assert list(connection.scalars(query))[-1] == "model.created"
    finally:
        record.close()


def test_the_advice_names_the_way(settings: Settings) -> None:
    """An own form needs an approval; the catalogue's is pulled; what is best says so."""
    model = the_model(settings)
    own = advice(model, a_tuning(settings, faster=2))
    assert "2.0 times faster" in own
    assert "Nothing was changed" in own
    assert "lamplight tune tiny --make" in own.replace("tiny:latest", "tiny")
    assert "lamplight model propose" in own
    source = builtin_catalog().get(parse_name(SMALL)).digest
    known = advice(model, a_tuning(settings, faster=2, digest=str(source)))
    assert f"lamplight pull {FORM}" in known
    assert "best as it is" in advice(model, a_tuning(settings, faster=1.1))


def test_the_first_start_measures_once_and_only_says_so(settings: Settings) -> None:
    """A second start finds the note; switched off, nothing is measured."""
    store, said = Store(settings.runtime.models_dir), Console(record=True, quiet=False)
    off = load_settings(
        settings.data_dir, {"runtime.measure_forms": False, "rag.chat_model": "tiny"}, {}
    )
    measure_at_start(off, said)
    assert not (store.models_dir / "tuning").exists()
    measure_at_start(settings, said)
    measure_at_start(settings, said)
    assert said.export_text().count("Measuring once") == 1
    assert Tuner(settings.runtime, store).known(the_model(settings)) is not None
    assert [str(one) for one in store.names()] == ["tiny:latest"]


def test_a_name_of_a_form_tells_its_source() -> None:
    """The type joins the tag, as registries write it."""
    assert str(form_name(parse_name("qwen2.5-coder:0.5b"), "Q4_0")) == FORM


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the digest was checked on x86-64")
def test_the_catalogued_form_is_made_bit_for_bit_and_is_not_approved(tmp_path: Path) -> None:
    """The real 0.5B in Q4_0, made here of its Q4_K_M, has the digest of the catalogue.

    That says nothing of its answers: like every form it waits for an approval.
    """
    settings = load_settings(tmp_path)
    store = Store(settings.runtime.models_dir, settings.runtime.shared_models_dirs)
    Puller(settings.runtime, store, builtin_catalog()).pull(FORM, lambda _: None)
    model = store.read(parse_name(FORM))
    assert model.manifest.model.digest == builtin_catalog().get(parse_name(FORM)).digest
    assert not is_pinned(builtin_catalog(), model.manifest)
    source = builtin_catalog().get(parse_name(SMALL)).digest
    assert model.config["provenance"]["source_digest"] == source
