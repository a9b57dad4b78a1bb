"""Why a database cannot write now: its disk is full or read-only, or it is out of reach.

Pure. What an act must record is written in the act's own transaction, so where this is the answer,
nothing was done either: the trail fails closed. Faults of ours (a broken constraint, a wrong
statement) and waiting for a lock are no such answer.
"""

from sqlalchemy.exc import DatabaseError

# The first byte of SQLite's result codes; the others tell where it happened.
SQLITE_PRIMARY = 0xFF
SQLITE_REASONS = {
    3: "the file may not be written",
    8: "the record is read-only",
    10: "the disk reports an error",
    13: "the disk is full",
    14: "the record cannot be opened",
}
# The first two characters of SQLSTATE (PostgreSQL, appendix A), and single codes.
SQLSTATE_CLASSES = {
    "08": "the connection to the database broke",
    "53": "the database has no room or no connections left",
    "57": "the database is being stopped",
    "58": "the database reports an error of its disk",
}
SQLSTATE_REASONS = {"53100": "the disk is full", "25006": "the database is read-only"}
# A statement that took too long or was cancelled (57014) says nothing about the next one.
NOT_BLOCKED = frozenset({"57014"})


def why_blocked(error: DatabaseError) -> str | None:
    """Why nothing can be written at the moment; None for any other error."""
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return SQLITE_REASONS.get(sqlite_code & SQLITE_PRIMARY)
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return SQLSTATE_CLASSES["08"] if error.connection_invalidated else None
    if state in NOT_BLOCKED:
        return None
    return SQLSTATE_REASONS.get(state) or SQLSTATE_CLASSES.get(state[:2])
