"""One process at a time works through a run.

On SQLite one process works alone. On PostgreSQL whoever works through a run holds its lock there;
others find it taken and go on to the next. Whoever dies gives it back with their connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from governance.config import GovernanceSettings
from governance.document_locks import StillHeld
from governance.record.advisory import EVALUATION, key_of, lives, locks_engine, try_to_take
from governance.record.database import Record


class RunLocks:
    """The turns of those who work through runs, in this process and in others."""

    def __init__(self, record: Record, settings: GovernanceSettings) -> None:
        self._engine = locks_engine(record, settings.busy_timeout_s)

    @contextmanager
    def of(self, run_id: str) -> Iterator[StillHeld | None]:
        """Let nobody else work through this run; None where somebody does already."""
        if self._engine is None:
            yield lambda: True
            return
        with self._engine.connect() as connection:
            taken = try_to_take(connection, EVALUATION, key_of(run_id))
            yield (lambda: lives(connection)) if taken else None
