"""`lamplight doctor` and `lamplight release`: what is wrong with models, and letting one back."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lamplight.cli import app
from lamplight.settings import load_settings
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.quarantine import Quarantine
from runtime.store import Store, sha256_of
from runtime.testing_gguf import write_runnable_gguf
from runtime.walls import Wall


@pytest.fixture
def digest(tmp_path: Path) -> str:
    """A data directory whose only model has died three times."""
    settings = load_settings(tmp_path, environment={})
    store = Store(settings.runtime.models_dir)
    store.models_dir.mkdir()
    write_runnable_gguf(store.models_dir / "m")
    digest = sha256_of(store.models_dir / "m")
    store.add_file(store.models_dir / "m", digest)
    config = store.add_bytes(CONFIG_TYPE, b"{}")
    store.write_model(parse_name("m"), make_manifest(config, (Layer(MODEL_TYPE, digest, 1),)))
    for _ in range(3):
        Quarantine.of(settings.runtime).note_death(digest)
    return digest


def call(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_doctor_names_walls_memory_and_quarantined_models(tmp_path: Path, digest: str) -> None:
    """Each wall with whether it stands, what models may take, and what is set aside."""
    assert digest
    found = json.loads(call("doctor", "--json", "--data", str(tmp_path)))
    assert {wall["name"] for wall in found["walls"]} == set(Wall)
    assert 0 < found["memory"]["budget_bytes"] <= found["memory"]["available_bytes"]
    assert [name.partition(":")[0] for name in found["quarantined"]] == ["m"]
    assert "lamplight release" in call("doctor", "--data", str(tmp_path))


def test_doctor_names_the_device_the_build_and_each_model(tmp_path: Path, digest: str) -> None:
    """Processor, llama.cpp's flags, what a model needs, and a next step for each finding."""
    assert digest
    found = json.loads(call("doctor", "--json", "--data", str(tmp_path)))
    assert found["device"]["name"]
    assert found["device"]["cores"] >= 1
    assert "=" in found["build"]["flags"]
    [model] = found["models"]
    assert (model["form"], model["fits"], model["speed"]) == ("F32", True, {"how": "unknown"})
    assert all(one["what"] and one["next"] for one in found["findings"])
    said = [one["next"] for one in found["findings"]]
    assert "lamplight pull all-minilm" in said
    assert any(one.endswith("lamplight release m:latest") for one in said)


def test_doctor_measures_when_asked(tmp_path: Path, digest: str) -> None:
    """A model's own pace, in a process behind walls; nothing of it is kept."""
    assert digest
    found = json.loads(call("doctor", "--measure", "--json", "--data", str(tmp_path)))
    [model] = found["models"]
    assert model["speed"]["how"] == "measured"
    assert model["speed"]["prompt_tokens_per_s"] > 0 < model["speed"]["answer_tokens_per_s"]
    assert not (tmp_path / "models/tuning").exists()


def test_release_lets_a_model_back(tmp_path: Path, digest: str) -> None:
    """OLL-7: its deaths are forgotten; a second time says that there was nothing to do."""
    assert digest
    assert "may be loaded again" in call("release", "m", "--data", str(tmp_path))
    assert "was not quarantined" in call("release", "m", "--data", str(tmp_path))
    assert json.loads(call("doctor", "--json", "--data", str(tmp_path)))["quarantined"] == []
