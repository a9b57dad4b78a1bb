import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lamplight.cli import app
from lamplight.errors import BadUse, OperationRefused

SAMPLES = Path(__file__).parents[2] / "samples"
OLD = "# Pain\n\n## 1. Dose\n\nGive 5 mg of morphine at once. Ask for the name.\n"
NEW = "# Pain\n\n## 1. Dose\n\nGive 10 mg of morphine at once. Ask for the full name.\n"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A policy with a changed dose and a changed word."""
    old, new = tmp_path / "old.md", tmp_path / "new.md"
    old.write_text(OLD)
    new.write_text(NEW)
    return old, new


def run(tmp_path: Path, *words: object) -> Result:
    arguments = [str(word) for word in ("difference", *words, "--data", tmp_path / "data")]
    return CliRunner().invoke(app, arguments)


def test_a_changed_dose_is_printed_first(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """With its section, and with marks that need no colour."""
    done = run(tmp_path, *pair)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "Doses"
    assert lines[1].endswith("1. Dose: Give [-5-]{+10+} mg of morphine at once.")
    assert lines[2] == "Words"
    assert lines[3].endswith("Ask for the {+full +}name.")


def test_changes_are_printed_as_json(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """For other programs, all of them."""
    changes = json.loads(run(tmp_path, *pair, "--json").stdout)["changes"]
    assert [(change["kind"], change["weight"]) for change in changes] == [
        ("changed", "dose"),
        ("changed", "words"),
    ]
    assert changes[0]["segments"][1] == {"mark": "removed", "text": "5"}


def test_two_versions_of_a_sample_are_compared(tmp_path: Path) -> None:
    """The superseded version against the one in force, as people have them: PDF files."""
    superseded = SAMPLES / "superseded" / "ph-005-medication-storage-v5.pdf"
    done = run(tmp_path, superseded, SAMPLES / "ph-005-medication-storage.pdf")
    assert "changed within [-48-]{+24+} hours unless the keys have been found." in done.stdout


def test_the_same_file_twice_has_no_difference(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Said on standard error; standard output stays empty."""
    done = run(tmp_path, pair[0], pair[0])
    assert (done.exit_code, done.stdout) == (0, "")


def test_what_cannot_be_read_is_named(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A file that is not there, and one that is no document."""
    assert isinstance(run(tmp_path, pair[0], tmp_path / "gone.md").exception, BadUse)
    (tmp_path / "empty.md").write_bytes(b"")
    refused = run(tmp_path, pair[0], tmp_path / "empty.md").exception
    assert isinstance(refused, OperationRefused)
    assert "empty.md" in refused.message
