"""Settings of the record; only `lamplight/settings.py` reads them from outside."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GovernanceSettings:
    """Where the record and the originals are kept.

    database_url: a SQLAlchemy URL; None means SQLite in the data directory.
    busy_timeout_s: how long a transaction waits for another writer before it gives up.
    """

    data_dir: Path
    database_url: str | None = None
    busy_timeout_s: float = 30.0

    @property
    def record_url(self) -> str:
        """The URL that the record is opened with."""
        return self.database_url or f"sqlite:///{self.data_dir / 'record.db'}"

    @property
    def originals_dir(self) -> Path:
        """The folder of uploaded files, named by their digest."""
        return self.data_dir / "originals"
