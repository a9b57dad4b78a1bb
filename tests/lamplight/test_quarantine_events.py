"""A model that is set aside, or let back, is in the trail; what signs catalogues is not loaded."""

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from governance.record.database import open_record
from governance.testing_trail import events_of
from lamplight.cli import app
from lamplight.installing import model_store
from lamplight.settings import load_settings
from lamplight.testing_gate import House
from runtime.engine import Engine
from runtime.names import parse_name
from runtime.quarantine import Quarantine
from runtime.store import Store
from runtime.testing import write_tiny_gguf


def installed(data: Path) -> None:
    file = data.parent / "tiny.gguf"
    write_tiny_gguf(file)
    (data.parent / "Modelfile").write_text("FROM ./tiny.gguf\n")
    words = ["create", "m", "-f", str(data.parent / "Modelfile"), "--data", str(data)]
    assert CliRunner().invoke(app, words).exit_code == 0


def test_oll_7_a_quarantine_is_recorded_by_the_gate(house: House) -> None:
    """The engine tells the gate, as `lamplight serve` puts them together."""
    store = Store(house.settings.models_dir)
    model = store.models()[0]
    engine = Engine(house.settings, store, on_quarantine=house.gate.record_quarantine)
    engine._on_quarantine(model)
    [event] = house.events("model.quarantined")
    assert (event["object"]["id"], event["outcome"]) == (str(model.name), "done")


def test_oll_7_a_release_is_recorded_once(tmp_path: Path) -> None:
    """A second one that lets nothing back is no event."""
    data = tmp_path / "data"
    installed(data)
    settings = load_settings(data)
    digest = model_store(settings).read(parse_name("m")).manifest.loaded_digest
    quarantine = Quarantine.of(settings.runtime)
    for _ in range(settings.runtime.deaths_allowed):
        quarantine.note_death(digest)
    for _ in range(2):
        assert CliRunner().invoke(app, ["release", "m", "--data", str(data)]).exit_code == 0
    assert quarantine.digests() == []
    record = open_record(settings.governance)
    events = events_of(record, "model.released")
    record.close()
    assert [event["object"]["id"] for event in events] == ["m:latest"]


def test_the_servers_do_not_carry_what_signs_catalogues() -> None:
    """Sigstore's client, and the rest, are loaded by the commands that need them."""
    program = (
        "import sys, lamplight.cli, lamplight.gate, lamplight.platform, runtime.api.app;"
        "sys.exit(bool({'tuf', 'model_signing', 'sigstore', 'OpenSSL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
