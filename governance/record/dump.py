"""Copies a PostgreSQL record out and in with PostgreSQL's own programs."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL

from governance.errors import RecordNotCopied

MAX_REASON_CHARS = 300


def dump(url: URL, destination: Path, snapshot: str) -> None:
    """Write the whole database as others would see it in this snapshot. Raises RecordNotCopied."""
    _run("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", f"--file={destination}")


def load_dump(url: URL, source: Path) -> None:
    """Fill an empty database from a dump: all of it or nothing. Raises RecordNotCopied."""
    _run("pg_restore", url, "--no-owner", "--single-transaction", "--exit-on-error", str(source))


def _run(program: str, url: URL, *arguments: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise RecordNotCopied(
            f"The program {program} is not here, and the record is kept in PostgreSQL.",
            "Install the client programs of your server's version: "
            "sudo apt-get install postgresql-client",
        )
    with _address(url) as address:
        done = subprocess.run(
            [path, f"--dbname={address}", "--no-password", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RecordNotCopied(
            f"{program} failed: {done.stderr.strip()[-MAX_REASON_CHARS:]}",
            "Its version must not be older than the server's; the account must own the database.",
        )


@contextmanager
def _address(url: URL) -> Iterator[str]:
    """The database's address; a password goes by a file, because others see our arguments."""
    parts = {**url.query, **url.translate_connect_args(username="user", database="dbname")}
    password = parts.pop("password", None)
    with tempfile.TemporaryDirectory() as folder:
        if password is not None:
            escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
            passwords = Path(folder) / "passwords"
            passwords.touch(mode=0o600)
            passwords.write_text(f"*:*:*:*:{escaped}\n")
            parts["passfile"] = str(passwords)
        yield make_conninfo(**parts)
