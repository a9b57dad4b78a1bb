"""A policy list speaks for files that are loaded together with it, as a whole or not at all."""

from pathlib import Path

import pytest

from lamplight.errors import BadUse
from lamplight.policy_lists import fields_by_file
from lamplight.samples import FOLDER, LIST, sample_files

HEADER = "File,Policy number,Owner,Next review\n"


def listed(folder: Path, *lines: str) -> Path:
    path = folder / "list.csv"
    path.write_text(HEADER + "\n".join(lines))
    return path


def test_each_file_gets_what_its_line_states(tmp_path: Path) -> None:
    """By the name of the file, whatever its case; dates as the form takes them."""
    path = listed(tmp_path, "Hands.md,IC-001,Infection control,2027-01-31")
    assert fields_by_file(path, [tmp_path / "hands.md"]) == {
        "hands.md": {
            "policy_number": "IC-001",
            "owner": "Infection control",
            "review_due": "2027-01-31",
        }
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hands.md,IC-001,,31/02/2027", "line 2: 31/02/2027 is no date"),
        ("feet.md,IC-002,,", "names files that are not among those to load: feet.md"),
    ],
)
def test_one_bad_line_loads_nothing(tmp_path: Path, line: str, said: str) -> None:
    """The line is named, with what is wrong with it."""
    with pytest.raises(BadUse, match=said):
        fields_by_file(listed(tmp_path, line), [tmp_path / "hands.md"])


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    """In the words of its reader; a missing one, too."""
    (tmp_path / "list.csv").write_bytes(b"%PDF-1.7")
    with pytest.raises(BadUse, match="is not a list"):
        fields_by_file(tmp_path / "list.csv", [])
    with pytest.raises(BadUse, match="cannot be opened"):
        fields_by_file(tmp_path / "missing.csv", [])


def test_the_samples_are_those_of_their_list() -> None:
    """Eight policies, each of which is there."""
    files = sample_files()
    assert len(files) == 8
    assert all(path.is_file() and path.parent == FOLDER for path in files)
    assert set(fields_by_file(LIST, files)) == {path.name for path in files}
