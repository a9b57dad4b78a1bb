"""The whole way of a model by commands alone: keys, catalogue, medium, another site, revocation."""

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner

from governance.model_blocks import BlockStore
from governance.record.database import open_record
from governance.testing_trail import events_of
from lamplight.cli import app
from lamplight.errors import PullRefused
from lamplight.installing import model_store
from lamplight.settings import load_settings
from runtime.names import parse_name
from runtime.testing_gguf import write_runnable_gguf

MODELFILE = 'FROM ./tiny.gguf\nSYSTEM "You help."\nLICENSE MIT\n'


def run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """Made and published by those who choose models, with one model."""
    write_runnable_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "Modelfile").write_text(MODELFILE)
    home, medium = tmp_path / "makers", tmp_path / "medium"
    run("create", "ward", "-f", tmp_path / "Modelfile", "--data", home)
    for name in ("root", "pharmacy", "security", "station"):
        run("catalogue", "key", tmp_path / name)
    run("catalogue", "key", tmp_path / "publisher", "--publisher")
    keys = [f"--{role}={tmp_path / name}.pub" for role, name in (
        ("root", "root"), ("targets", "pharmacy"), ("targets", "security"), ("station", "station"),
    )]  # fmt: skip
    run("catalogue", "make", medium, *keys, "--targets-threshold", 2)
    run("catalogue", "add", medium, "ward", "--key", tmp_path / "publisher", "--data", home)
    run("catalogue", "sign", medium, "--key", tmp_path / "root")
    publish(tmp_path)
    return medium


def publish(folder: Path) -> None:
    for name in ("pharmacy", "security"):
        run("catalogue", "sign", folder / "medium", "--key", folder / name)
    run("catalogue", "publish", folder / "medium", "--key", folder / "station")


@pytest.fixture
def site(tmp_path: Path, medium: Path) -> Path:
    """A hospital that trusts it."""
    root = medium / "metadata/1.root.json"
    data = tmp_path / "site"
    said = run("catalogue", "trust", root, f"--publisher={tmp_path}/publisher.pub", "--data", data)
    assert said.startswith("root ")
    return data


def test_a_model_goes_from_one_site_to_another(site: Path, medium: Path) -> None:
    """It is the same model there, and the trail says where it came from."""
    run("pull", "ward", "--from", medium, "--data", site)
    settings = load_settings(site)
    digest = model_store(settings).read(parse_name("ward")).manifest.digest
    home = load_settings(medium.parent / "makers")
    assert model_store(home).read(parse_name("ward")).manifest.digest == digest
    record = open_record(settings.governance)
    [event] = events_of(record, "model.pulled")
    assert [one["outcome"] for one in events_of(record, "catalogue.trusted")] == ["done"]
    record.close()
    assert event["outcome"] == "done"
    assert json.dumps(event).count("catalogue") >= 1


def test_prv_1_a_refused_package_leaves_an_event(site: Path, medium: Path) -> None:
    """One, with the step at which it was refused; and no model."""
    [bill] = medium.rglob("bom.cdx.json")
    bill.write_bytes(bill.read_bytes() + b" ")
    with pytest.raises(PullRefused, match="longer than what was signed"):
        run("pull", "ward", "--from", medium, "--data", site)
    settings = load_settings(site)
    assert model_store(settings).names() == []
    record = open_record(settings.governance)
    [event] = events_of(record, "model.pulled")
    record.close()
    assert event["outcome"] == "refused"


def test_apr_7_a_revocation_comes_by_the_medium(site: Path, medium: Path) -> None:
    """Each installed model that is made with a revoked file is blocked, once."""
    run("pull", "ward", "--from", medium, "--data", site)
    settings = load_settings(site)
    model = model_store(settings).read(parse_name("ward"))
    digest = model.manifest.model.digest
    run("catalogue", "revoke", medium, digest, "--reason", "It answers wrongly.")
    publish(medium.parent)
    for _ in range(2):
        run("catalogue", "refresh", medium, "--data", site)
    record = open_record(settings.governance)
    blocked = {one.digest for one in BlockStore(record).blocks()}
    reasons = [one["reason"] for one in events_of(record, "model.blocked")]
    record.close()
    assert blocked == {model.manifest.digest, digest.removeprefix("sha256:")}
    assert reasons == ["Revoked by the catalogue: It answers wrongly."] * 2
    with pytest.raises(PullRefused, match="revoked: It answers wrongly"):
        run("pull", "ward", "--from", medium, "--data", site)


def test_prv_7_a_bill_is_valid_and_the_same_twice(site: Path, medium: Path) -> None:
    """CycloneDX's own schema has nothing against it."""
    run("pull", "ward", "--from", medium, "--data", site)
    bill = run("model", "bom", "ward", "--data", site)
    assert bill == run("model", "bom", "ward", "--data", site)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    [signed] = medium.rglob("bom.cdx.json")
    assert signed.read_text() == bill
    component = json.loads(bill)["metadata"]["component"]
    assert component["type"] == "machine-learning-model"
    assert component["licenses"] == [{"license": {"id": "MIT"}}]
