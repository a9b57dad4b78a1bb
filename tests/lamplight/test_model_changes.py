"""`lamplight create`, `cp`, `rm`: models changed from the command line, and recorded."""

from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from governance.record.database import open_record
from governance.record.trail_tables import audit_leaves
from lamplight.cli import app
from lamplight.errors import BadUse, PullRefused
from lamplight.installing import model_store
from lamplight.settings import load_settings
from runtime.manifest import PARAMS_TYPE, SYSTEM_TYPE
from runtime.names import parse_name
from runtime.testing import write_tiny_gguf
from runtime.testing_generated import write_adapter_gguf, write_projector_gguf
from runtime.testing_gguf import write_runnable_gguf

MODELFILE = '''# A model for the ward
FROM ./tiny.gguf
SYSTEM """You answer
in one sentence."""
parameter temperature 0.5
PARAMETER stop END
PARAMETER stop "STOP IT"
MESSAGE user Hello
MESSAGE assistant Good day.
LICENSE MIT
'''


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    open_record(load_settings(folder).governance).close()
    return folder


def run(data: Path, *words: str) -> None:
    done = CliRunner().invoke(app, [*words, "--data", str(data)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output


def written(tmp_path: Path, text: str) -> str:
    write_tiny_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "Modelfile").write_text(text)
    return str(tmp_path / "Modelfile")


def test_a_modelfile_becomes_a_model_that_is_copied_and_removed(data: Path, tmp_path: Path) -> None:
    """The file, its texts and its parameters; every change is in the record."""
    run(data, "create", "ward", "-f", written(tmp_path, MODELFILE))
    settings = load_settings(data)
    store = model_store(settings)
    model = store.read(parse_name("ward"))
    assert model.path.read_bytes() == (tmp_path / "tiny.gguf").read_bytes()
    assert store.layer_text(model, SYSTEM_TYPE) == "You answer\nin one sentence."
    assert store.layer_text(model, PARAMS_TYPE) == '{"stop":["END","STOP IT"],"temperature":0.5}'
    run(data, "cp", "ward", "second")
    run(data, "rm", "ward", "second")
    assert store.names() == []
    assert list((store.models_dir / "blobs").iterdir()) == []
    record = open_record(settings.governance)
    with record.read() as connection:
        query = select(audit_leaves.c.action).order_by(audit_leaves.c.seq)
        acts = [act for act in connection.scalars(query) if act.startswith("model.")]
    record.close()
    assert acts == ["model.created", "model.copied", "model.deleted", "model.deleted"]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("SYSTEM x\n", PullRefused, "no FROM line"),
        ("FROM ./tiny.gguf\nDRAFT ./a\n", BadUse, "not supported"),
        ("FROM ./tiny.gguf\nADAPTER ./a\n", PullRefused, "there is no file"),
        ("FROM ./tiny.gguf\nADAPTER ./tiny.gguf\n", PullRefused, "no LoRA adapter"),
        ("FROM ./nowhere.gguf\n", PullRefused, "there is no file"),
        ("FROM nobody\n", PullRefused, "not found"),
        ("FROM ./tiny.gguf\nPARAMETER colour red\n", PullRefused, "unknown parameter 'colour'"),
        ("FROM ./tiny.gguf\nCOLOUR red\n", PullRefused, r"\(line 2\): command must be one of"),
    ],
)
def test_a_modelfile_that_cannot_be_used_says_why(
    data: Path, tmp_path: Path, text: str, kind: type[Exception], words: str
) -> None:
    """And no model is made."""
    with pytest.raises(kind, match=words):
        run(data, "create", "ward", "-f", written(tmp_path, text))
    assert model_store(load_settings(data)).names() == []


def test_a_registry_that_is_not_allowed_is_not_spoken_to(data: Path, tmp_path: Path) -> None:
    """The setting to change is named."""
    run(data, "create", "ward", "-f", written(tmp_path, MODELFILE))
    with pytest.raises(PullRefused) as caught:
        run(data, "push", "ward")
    assert "LAMPLIGHT_RUNTIME_ALLOWED_REGISTRIES" in caught.value.hint


def test_a_modelfile_names_adapters_and_a_projector(data: Path, tmp_path: Path) -> None:
    """Generated ones, beside the Modelfile; each becomes a layer of its kind."""
    write_runnable_gguf(tmp_path / "base.gguf")
    write_adapter_gguf(tmp_path / "ward.gguf")
    write_projector_gguf(tmp_path / "eyes.gguf")
    text = "FROM ./base.gguf\nFROM ./eyes.gguf\nADAPTER ./ward.gguf\n"
    run(data, "create", "ward", "-f", written(tmp_path, text))
    layers = model_store(load_settings(data)).read(parse_name("ward")).manifest.layers
    kinds = [layer.media_type.rpartition(".")[2] for layer in layers]
    assert kinds == ["model", "projector", "adapter"]
