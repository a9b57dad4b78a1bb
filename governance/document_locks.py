"""One process at a time changes a document: the record and the index, from the first step on.

On SQLite one process works alone, and a lock of its own is enough. On PostgreSQL whoever changes a
document holds its lock there, and whoever goes through the whole index waits for all of them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Connection

from governance.config import GovernanceSettings
from governance.errors import DocumentBusy
from governance.record.advisory import (
    DOCUMENT,
    STARTING,
    WHOLE_INDEX,
    NotGiven,
    key_of,
    lives,
    locks_engine,
    take,
    try_to_take,
)
from governance.record.database import Record

# One process makes DBOS's tables while the others wait for so long.
START_WITHIN_S = 120.0
ASK_AGAIN_S = 0.2
# Says whether the lock is still ours; a lost connection takes it away.
StillHeld = Callable[[], bool]


class DocumentLocks:
    """The turns of those who change documents, in this process and in others."""

    def __init__(self, record: Record, settings: GovernanceSettings) -> None:
        self._engine = locks_engine(record, settings.busy_timeout_s)
        self._here = Lock()

    @contextmanager
    def of(self, *document_ids: str) -> Iterator[StillHeld]:
        """Let nobody else change these documents. Raises DocumentBusy."""
        # Always in one order, so that two who want the same do not wait for each other.
        keys = sorted({key_of(document_id) for document_id in document_ids})
        with self._here, self._connection() as connection:
            if connection is not None:
                _wait(connection, WHOLE_INDEX, 0, shared=True)
                for key in keys:
                    _wait(connection, DOCUMENT, key)
            yield lambda: connection is None or lives(connection)

    @contextmanager
    def of_all(self) -> Iterator[None]:
        """Let nobody else change any document. Raises DocumentBusy."""
        with self._here, self._connection() as connection:
            if connection is not None:
                _wait(connection, WHOLE_INDEX, 0)
            yield

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Let one process after the other make what all of them need. Raises DocumentBusy."""
        with self._connection() as connection:
            if connection is not None:
                _wait_idle(connection, STARTING)
            yield

    @contextmanager
    def _connection(self) -> Iterator[Connection | None]:
        if self._engine is None:
            yield None
            return
        with self._engine.connect() as connection:
            yield connection


def _wait_idle(connection: Connection, kind: int) -> None:
    """Ask again and again: who waits within a statement holds up whoever builds an index."""
    deadline = time.monotonic() + START_WITHIN_S
    while not try_to_take(connection, kind, 0):
        if time.monotonic() > deadline:
            raise DocumentBusy(
                "Another process of this Lamplight has been starting for minutes.",
                "Look into its log, end it, and start this one again.",
            )
        time.sleep(ASK_AGAIN_S)


def _wait(connection: Connection, kind: int, key: int, *, shared: bool = False) -> None:
    try:
        take(connection, kind, key, shared=shared)
    except NotGiven as error:
        raise DocumentBusy(
            "This document is being changed at this moment, or the index is being written again.",
            "Try again in a minute.",
        ) from error
