"""Settings of the record; only `lamplight/settings.py` reads them from outside."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GovernanceSettings:
    """Where the record and the originals are kept.

    database_url: a SQLAlchemy URL; None means SQLite in the data directory.
    busy_timeout_s: how long a transaction waits for another writer before it gives up.
    retention_days: how long a department keeps text of questions, until it says otherwise.
    max_full_days, max_masked_days: the longest that text may be kept, whole and masked.
    session_idle_s: how long a browser session lasts without a request.
    session_absolute_s: how long a browser session lasts at most.
    sessions_per_person: how many browser sessions one person may have open; the oldest ends.
    argon2_memory_kib, argon2_rounds: the work of one password check.
    breach_list_path: leaked passwords that nobody may choose, as plain lines or sorted SHA-1.
    trail_origin: the name under which the audit trail is signed; it stays when the key changes.
    anchor_dirs: folders outside the data directory that get a copy of every signed checkpoint.
    watch_roots: below these, folders may be watched by whoever has that right in a department;
        any other is named by the owner of the data directory, on the command line.
    allow_deidentified_phi, allow_phi: whether departments may hold, and models may see, such data.
    evaluation_suite: SHA-256 of the questions that evaluations must use; empty is any.
    evaluation_valid_days: how long a recorded evaluation speaks for a proposal above `internal`.
    time_zone: where a day begins on which a policy comes into force; empty is the machine's own.
    """

    data_dir: Path
    database_url: str | None = None
    busy_timeout_s: float = 30.0
    retention_days: int = 30
    max_full_days: int = 30
    max_masked_days: int = 365
    session_idle_s: int = 900
    session_absolute_s: int = 43_200
    sessions_per_person: int = 5
    argon2_memory_kib: int = 19_456
    argon2_rounds: int = 2
    breach_list_path: Path | None = None
    trail_origin: str = "lamplight.invalid/trail"
    watch_roots: tuple[Path, ...] = ()
    anchor_dirs: tuple[Path, ...] = ()
    allow_deidentified_phi: bool = False
    allow_phi: bool = False
    evaluation_suite: str = ""
    evaluation_valid_days: int = 180
    time_zone: str = ""

    @property
    def record_url(self) -> str:
        """The URL that the record is opened with."""
        return self.database_url or f"sqlite:///{self.data_dir / 'record.db'}"

    @property
    def originals_dir(self) -> Path:
        """The folder of uploaded files, named by their digest."""
        return self.data_dir / "originals"

    @property
    def keys_dir(self) -> Path:
        """The folder of the platform's own keys; its account alone may look inside."""
        return self.data_dir / "keys"
