"""For tests alone: a PostgreSQL of their own, as a user without rights, on a Unix socket only."""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

OWNER = "lamplight"
PORT = 5432  # names the socket; nothing listens on the network
MEMORY_DISK = Path("/dev/shm")  # noqa: S108
MEMORY_DISK_MIN_BYTES = 1_000_000_000
HOW_TO_INSTALL = "PostgreSQL is missing; install it with: sudo apt-get install postgresql"


class Cluster:
    """A running PostgreSQL server of this test session."""

    def __init__(self, socket_dir: Path) -> None:
        self._socket_dir = socket_dir

    def url(self, database: str) -> str:
        """How a record reaches one database of this server."""
        query = {"host": str(self._socket_dir), "port": str(PORT)}
        made = URL.create("postgresql+psycopg", OWNER, database=database, query=query)
        return made.render_as_string()

    def create(self, database: str, template: str = "template1") -> str:
        """Make a database as a copy of another that nobody uses; gives its URL."""
        self._run(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database and whoever still uses it."""
        self._run(f'DROP DATABASE "{database}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        engine = create_engine(
            self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def postgresql_cluster(*options: str) -> Iterator[Cluster]:
    """A new, empty server for the length of the block; options are its own, as `name=value`."""
    tools, user = postgresql_tools(), _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="lamplight-pg-", dir=_fast_disk()))
    data = folder / "data"
    try:
        _give_to(folder, user)
        initdb = ["--username", OWNER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
        _call(user, tools / "initdb", "-D", data, *initdb, "--no-sync", "--no-instructions")
        settings = [f"unix_socket_directories={folder}", "listen_addresses=", f"port={PORT}"]
        words = " ".join(f"-c {setting}" for setting in [*settings, *options])
        log = folder / "server.log"
        _call(user, tools / "pg_ctl", "start", "-D", data, "-w", "-s", "-l", log, "-o", words)
        try:
            yield Cluster(folder)
        finally:
            _call(user, tools / "pg_ctl", "stop", "-D", data, "-w", "-s", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def postgresql_tools() -> Path:
    """The folder of PostgreSQL's programs; the newest where there are several."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise LookupError(HOW_TO_INSTALL)
    return found[-1].parent if found else Path(str(on_path)).parent


def _unprivileged_user() -> str:
    """Whoever runs the server: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return getpass.getuser()
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _fast_disk() -> Path | None:
    """A disk in memory, where there is room: each test makes a database and syncs it."""
    if not os.access(MEMORY_DISK, os.W_OK):
        return None
    roomy = shutil.disk_usage(MEMORY_DISK).free >= MEMORY_DISK_MIN_BYTES
    return MEMORY_DISK if roomy else None


def _give_to(folder: Path, user: str) -> None:
    if os.getuid() == 0:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


def _call(user: str, program: Path, *arguments: str | Path) -> None:
    """Run one of PostgreSQL's programs to its end as this user."""
    is_root = os.getuid() == 0
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        # The server that pg_ctl starts would keep a pipe open.
        stdout=subprocess.DEVNULL if program.name == "pg_ctl" else subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
        user=user if is_root else None,
        group=pwd.getpwnam(user).pw_gid if is_root else None,
        extra_groups=[] if is_root else None,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{program.name} failed: {done.stdout or 'see its log'}")
