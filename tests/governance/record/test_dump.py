"""PostgreSQL's own programs are called so that nobody else learns the password."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from governance.errors import RecordNotCopied
from governance.record.dump import dump, load_dump

URL = make_url("postgresql+psycopg://lamplight:ge:heim@db.test:5433/record?sslmode=require")


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_the_password_goes_by_a_file_that_is_gone_afterwards(folder: Path) -> None:
    """Arguments are shown to everybody on the machine; the file is for its owner alone."""
    seen = folder / "seen"
    script = f"""
        echo "$@" > {seen}
        file=$(echo "$1" | sed 's/.*passfile=//; s/ .*//')
        stat -c %a "$file" >> {seen}; cat "$file" >> {seen}; echo "$file" >> {seen}
    """
    program(folder, "pg_dump", script)
    dump(URL, folder / "record.dump", "snapshot-1")
    arguments, mode, line, path = seen.read_text().splitlines()
    assert "heim" not in arguments
    for part in ("host=db.test", "port=5433", "user=lamplight", "dbname=record", "sslmode=require"):
        assert part in arguments
    assert "--snapshot=snapshot-1" in arguments
    assert (mode, line) == ("600", "*:*:*:*:ge\\:heim")
    assert not Path(path).exists()


def test_what_the_program_says_is_passed_on(folder: Path) -> None:
    """A failure names the program and its reason."""
    program(folder, "pg_restore", "echo 'server version mismatch' >&2; exit 1")
    with pytest.raises(RecordNotCopied, match="pg_restore failed: server version mismatch"):
        load_dump(URL, folder / "record.dump")


def test_a_missing_program_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(RecordNotCopied, match="pg_dump is not here") as refusal:
        dump(URL, folder / "record.dump", "snapshot-1")
    assert "postgresql-client" in refusal.value.hint
