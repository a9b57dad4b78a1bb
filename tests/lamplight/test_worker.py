"""A worker is for the distributed form alone, and says so."""

from pathlib import Path

import pytest

from lamplight.errors import BadSetting, BadUse
from lamplight.settings import load_settings
from lamplight.worker import check_distributed

SHARED = {
    "LAMPLIGHT_DATABASE_URL": "postgresql://lamplight@127.0.0.1/lamplight",
    "LAMPLIGHT_QDRANT_URL": "http://127.0.0.1:6333",
}


@pytest.mark.parametrize("left_out", SHARED)
def test_a_worker_without_what_is_shared_is_refused(tmp_path: Path, left_out: str) -> None:
    """SQLite and the embedded index belong to one process."""
    given = {name: value for name, value in SHARED.items() if name != left_out}
    with pytest.raises(BadUse, match="PostgreSQL") as refused:
        check_distributed(load_settings(tmp_path, environment=given))
    assert "lamplight up" in refused.value.hint


def test_a_worker_that_may_do_nothing_is_refused(tmp_path: Path) -> None:
    """The setting of the web processes is not for it."""
    given = SHARED | {"LAMPLIGHT_INGEST_PARALLEL_FILES": "0"}
    with pytest.raises(BadUse, match="told to do nothing"):
        check_distributed(load_settings(tmp_path, environment=given))
    check_distributed(load_settings(tmp_path, environment=SHARED))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"LAMPLIGHT_INGEST_PARALLEL_FILES": "0"}, "files would wait for ever"),
        ({"LAMPLIGHT_INGEST_PARALLEL_FILES": "-1"}, "cannot be -1"),
        ({"LAMPLIGHT_RUN": "/somewhere"}, "one process owns it"),
    ],
)
def test_what_needs_other_processes_is_refused_where_there_are_none(
    tmp_path: Path, given: dict[str, str], said: str
) -> None:
    """Before a file is taken in that nobody would load."""
    with pytest.raises(BadSetting, match=said):
        load_settings(tmp_path, environment=given)


def test_processes_that_share_a_data_directory_have_places_of_their_own(tmp_path: Path) -> None:
    """Lock and socket are apart; the key of the runtime is one for all."""
    one, other = (
        load_settings(tmp_path, environment=SHARED | {"LAMPLIGHT_RUN": str(tmp_path / name)})
        for name in "ab"
    )
    assert one.admin_socket != other.admin_socket
    assert one.runtime_key_path == other.runtime_key_path
    assert one.governance.keys_dir == other.governance.keys_dir
    assert load_settings(tmp_path, environment={}).run_dir == tmp_path / "run"
