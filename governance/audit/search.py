"""Finds events, newest first, a page at a time.

Numbers order the trail, not times: a clock can be set back. A stretch of time is therefore turned
into the numbers between which it lies, run by run between such setbacks, and each event's own time
is checked as well. Only the most telling condition may use an index: of several, a database without
statistics takes any.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    desc,
    func,
    literal,
    select,
    union_all,
)

from governance.audit.leaf import column
from governance.events import Action
from governance.record.trail_tables import audit_leaves

PAGE_MAX = 500
_LEAF = audit_leaves.c


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; None means any. since counts in, until does not."""

    actor_id: str | None = None
    action: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One event as it stands in the trail; body: the parsed leaf."""

    seq: int
    at: datetime
    action: str
    actor_id: str
    department_id: str | None
    object_id: str | None
    body: dict[str, Any]


def search(
    connection: Connection,
    wanted: Filter,
    departments: tuple[str, ...] | None,
    *,
    before: int | None = None,
    limit: int = 50,
) -> tuple[Found, ...]:
    """The newest events of these departments; None: of all, and of none.

    before: the last number of the page before. limit: at most 500.
    """
    span = _numbers(connection, wanted, before)
    if span is None or departments == ():
        return ()
    rows = connection.execute(_query(wanted, departments, *span, min(limit, PAGE_MAX)))
    return tuple(_found(row) for row in rows)


def _query(
    wanted: Filter, departments: tuple[str, ...] | None, first: int, last: int, limit: int
) -> Select[Any]:
    conditions = _conditions(wanted)
    within = [_LEAF.seq.between(first, last), *_times(wanted)]
    if departments is None or conditions:
        if departments is not None:
            within.append(_unindexed(_LEAF.department_id).in_(departments))
        return _newest([*conditions, *within], limit)
    # Each department's own newest come straight out of its index; together they would be sorted.
    parts = [
        select(_newest([_LEAF.department_id == one, *within], limit).subquery())
        for one in departments
    ]
    every = union_all(*parts).subquery()
    return select(every).order_by(desc(every.c.seq)).limit(limit)


def _newest(conditions: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    columns = [one for one in _LEAF if one.name != "leaf_hash"]
    return select(*columns).where(*conditions).order_by(desc(_LEAF.seq)).limit(limit)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    """Equalities, the most telling first: it alone is looked up in an index."""
    values = (
        (_LEAF.object_id, wanted.object_id),
        (_LEAF.actor_id, wanted.actor_id),
        (_LEAF.action, wanted.action),
    )
    given = [(name, column(value)) for name, value in values if value is not None]
    return [
        (name if number == 0 else _unindexed(name)) == value
        for number, (name, value) in enumerate(given)
    ]


def _unindexed(name: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same value in a form that no index answers."""
    return func.coalesce(name, literal("", String))


def _times(wanted: Filter) -> list[ColumnElement[bool]]:
    # The numbers are narrow already; the index of times would only mislead.
    at = func.coalesce(_LEAF.at, _LEAF.at, type_=_LEAF.at.type)
    since = [] if wanted.since is None else [at >= wanted.since]
    return since if wanted.until is None else [*since, at < wanted.until]


def _numbers(connection: Connection, wanted: Filter, before: int | None) -> tuple[int, int] | None:
    """Numbers between which all events of this time lie; None where there are none."""
    newest = connection.execute(select(func.max(_LEAF.seq))).scalar_one()
    if newest is None:
        return None
    runs = _runs(connection, newest) if wanted.since or wanted.until else []
    first: int | None = 0
    last: int | None = newest
    if wanted.since is not None:
        first = _first_since(connection, runs, wanted.since)
    if wanted.until is not None:
        last = _last_until(connection, runs, wanted.until)
    if first is None or last is None:
        return None
    last = last if before is None else min(last, before - 1)
    return (first, last) if first <= last else None


def _runs(connection: Connection, newest: int) -> list[tuple[int, int]]:
    """First and last number of each run in which time only goes forward."""
    setbacks = select(_LEAF.seq).where(_LEAF.action == Action.CLOCK_REGRESSED)
    starts = [0, *connection.execute(setbacks.order_by(_LEAF.seq)).scalars()]
    ends = [*(start - 1 for start in starts[1:]), newest]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start <= end]


def _first_since(
    connection: Connection, runs: Sequence[tuple[int, int]], since: datetime
) -> int | None:
    for start, end in runs:
        if _time_of(connection, end) >= since:
            return _bisect(connection, start, end, since)
    return None


def _last_until(
    connection: Connection, runs: Sequence[tuple[int, int]], until: datetime
) -> int | None:
    for start, end in reversed(runs):
        if _time_of(connection, start) < until:
            after = _time_of(connection, end) < until
            return end if after else _bisect(connection, start, end, until) - 1
    return None


def _bisect(connection: Connection, start: int, end: int, at: datetime) -> int:
    """The first number of a run that is not before this time; there is one."""
    while start < end:
        middle = (start + end) // 2
        if _time_of(connection, middle) < at:
            start = middle + 1
        else:
            end = middle
    return start


def _time_of(connection: Connection, seq: int) -> datetime:
    found = connection.execute(select(_LEAF.at).where(_LEAF.seq == seq)).scalar_one()
    assert isinstance(found, datetime), "the column holds times"
    return found


def _found(row: Row[Any]) -> Found:
    return Found(
        row.seq,
        row.at,
        row.action,
        row.actor_id,
        row.department_id,
        row.object_id,
        json.loads(row.body),
    )
