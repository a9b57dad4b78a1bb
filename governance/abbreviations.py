"""Abbreviations and synonyms of a department: a short form and what it stands for.

A short form may have several long ones, and a long form several short ones; a search that meets the
one looks for the other, too. What is compared is folded: "IV", "iv" and "i.v." are one.
"""

import csv
import io
import threading
import time
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import uuid4

from sqlalchemy import Connection, delete, select

from governance.errors import InvalidAbbreviation, NotFound
from governance.events import Action, Actor, Event, Fact
from governance.record.database import Record
from governance.record.feedback_tables import abbreviations
from governance.record.tables import departments
from governance.version_life import identity_of

MAX_CHARS = 80
MAX_PER_DEPARTMENT = 500
MAX_CSV_BYTES = 200_000
# Another process sees a change after so many seconds at most; this one at once.
KEPT_S = 5.0
Forms = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """One pair of a department."""

    id: str
    short: str
    long: str
    added_by: str
    added_at: datetime


class AbbreviationStore:
    """Lists, adds, removes and imports the pairs of departments; remembers them for searches."""

    def __init__(self, record: Record, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._record = record
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, Forms]] = {}
        self._lock = threading.Lock()

    def of(self, department_name: str) -> Forms:
        """The long forms of each short form, as they were written; empty where there are none."""
        now = self._monotonic()
        with self._lock:
            kept = self._kept.get(department_name)
        if kept is not None and now - kept[0] < KEPT_S:
            return kept[1]
        forms = self._read(department_name)
        with self._lock:
            self._kept[department_name] = (now, forms)
        return forms

    def listed(self, department_id: str) -> tuple[Abbreviation, ...]:
        """The pairs of a department, by short form."""
        table = abbreviations.c
        query = (
            select(table.id, table.short, table.long, table.added_by, table.added_at)
            .where(table.department_id == department_id)
            .order_by(table.short_fold, table.long_fold)
        )
        with self._record.read() as connection:
            return tuple(Abbreviation(*row) for row in connection.execute(query))

    def add(self, actor: Actor, department_id: str, short: str, long: str, now: datetime) -> None:
        """Add one pair. Raises InvalidAbbreviation."""
        self._add(actor, department_id, [pair_of(short, long)], now)

    def import_csv(self, actor: Actor, department_id: str, content: bytes, now: datetime) -> int:
        """Add the pairs of a file of two columns, all or none; gives how many are new.

        Pairs that are there already are passed over. Raises InvalidAbbreviation.
        """
        pairs = pairs_in(content)
        known = {(fold(one.short), fold(one.long)) for one in self.listed(department_id)}
        new = [pair for pair in pairs if (fold(pair[0]), fold(pair[1])) not in known]
        if new:
            self._add(actor, department_id, new, now)
        return len(new)

    def remove(self, actor: Actor, department_id: str, abbreviation_id: str) -> None:
        """Remove one pair. Raises NotFound."""
        with self._record.write() as connection:
            gone = connection.execute(
                delete(abbreviations).where(
                    abbreviations.c.id == abbreviation_id,
                    abbreviations.c.department_id == department_id,
                )
            )
            if gone.rowcount == 0:
                raise NotFound("This abbreviation is not here.", "Reload the list.")
            self._note(connection, Action.ABBREVIATION_REMOVED, actor, department_id, 1)
        self._forget()

    def _add(
        self, actor: Actor, department_id: str, pairs: Sequence[tuple[str, str]], now: datetime
    ) -> None:
        with self._record.write() as connection:
            rows = connection.execute(
                select(abbreviations.c.short_fold, abbreviations.c.long_fold).where(
                    abbreviations.c.department_id == department_id
                )
            ).all()
            _expect_room(pairs, {(row.short_fold, row.long_fold) for row in rows})
            made = [
                {
                    "id": str(uuid4()),
                    "department_id": department_id,
                    "short": short,
                    "long": long,
                    "short_fold": fold(short),
                    "long_fold": fold(long),
                    "added_by": identity_of(actor),
                    "added_at": now,
                }
                for short, long in pairs
            ]
            connection.execute(abbreviations.insert(), made)
            self._note(connection, Action.ABBREVIATION_ADDED, actor, department_id, len(pairs))
        self._forget()

    def _read(self, department_name: str) -> Forms:
        query = (
            select(abbreviations.c.short, abbreviations.c.long, abbreviations.c.short_fold)
            .join_from(abbreviations, departments)
            .where(departments.c.name == department_name)
            .order_by(abbreviations.c.short_fold, abbreviations.c.long_fold)
        )
        names: dict[str, str] = {}
        found: dict[str, tuple[str, ...]] = {}
        with self._record.read() as connection:
            for row in connection.execute(query):
                short = names.setdefault(row.short_fold, row.short)
                found[short] = (*found.get(short, ()), row.long)
        return MappingProxyType(found)

    def _forget(self) -> None:
        with self._lock:
            self._kept.clear()

    def _note(
        self, connection: Connection, action: Action, actor: Actor, department_id: str, count: int
    ) -> None:
        facts: dict[str, Fact] = {"count": count}
        event = Event(action, actor, department_id, "department", department_id, facts=facts)
        self._record.trail.append(connection, event)


def pair_of(short: str, long: str) -> tuple[str, str]:
    """A pair that can be kept, blanks made single. Raises InvalidAbbreviation."""
    short, long = (" ".join(one.replace("\x00", "").split()) for one in (short, long))
    for name, text in (("The short form", short), ("The long form", long)):
        if not fold(text):
            raise InvalidAbbreviation(f"{name} has no letter or digit.", "Write both forms.")
        if len(text) > MAX_CHARS:
            raise InvalidAbbreviation(
                f"{name} has {len(text)} characters; the limit is {MAX_CHARS}.", "Shorten it."
            )
    if fold(short) == fold(long):
        raise InvalidAbbreviation("Both forms are the same.", "Write what it stands for.")
    return short, long


def pairs_in(content: bytes) -> tuple[tuple[str, str], ...]:
    """The pairs of a CSV file in UTF-8, each once; a first row that names columns is left out.

    Raises InvalidAbbreviation, which names the row.
    """
    if len(content) > MAX_CSV_BYTES:
        raise InvalidAbbreviation("The file is too large.", "Import 500 pairs at most.")
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidAbbreviation(
            "The file cannot be read as CSV.", "Save it as CSV in UTF-8, with two columns."
        ) from error
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for number, row in enumerate(rows, 1):
        if not any(cell.strip() for cell in row) or (number == 1 and _is_heading(row)):
            continue
        pair = _pair_in(number, row)
        found.setdefault((fold(pair[0]), fold(pair[1])), pair)
    if not found:
        raise InvalidAbbreviation(
            "The file has no pairs.", "Write the short form, then the long form, one pair a row."
        )
    return tuple(found.values())


def fold(text: str) -> str:
    """A form as it is compared: letters and digits in lower case, a blank between words."""
    text = unicodedata.normalize("NFKC", text).casefold().replace(".", "").replace("'", "")
    return " ".join("".join(char if char.isalnum() else " " for char in text).split())


def _expect_room(pairs: Sequence[tuple[str, str]], known: Collection[tuple[str, str]]) -> None:
    """Raise InvalidAbbreviation for a pair that is there, or where the list is full."""
    for short, long in pairs:
        if (fold(short), fold(long)) in known:
            raise InvalidAbbreviation(
                f"{short} for {long} is in the list already.", "There is nothing to add."
            )
    if len(known) + len(pairs) > MAX_PER_DEPARTMENT:
        raise InvalidAbbreviation(
            f"A department has {MAX_PER_DEPARTMENT} abbreviations at most; "
            f"{len(known)} are there, and {len(pairs)} would come.",
            "Remove some that nobody uses.",
        )


def _pair_in(number: int, row: Sequence[str]) -> tuple[str, str]:
    if len(row) != 2:
        raise InvalidAbbreviation(
            f"Row {number} has {len(row)} columns.", "Write two: the short form, the long form."
        )
    try:
        return pair_of(row[0], row[1])
    except InvalidAbbreviation as error:
        raise InvalidAbbreviation(f"Row {number}: {error.message}", error.hint) from error


def _is_heading(row: Sequence[str]) -> bool:
    return bool(row) and fold(row[0]) in {"short", "short form", "abbreviation"}


def _delimiter(text: str) -> str:
    """Spreadsheets in many places write a semicolon."""
    first = text.partition("\n")[0]
    return ";" if ";" in first and "," not in first else ","
