"""An event as the trail keeps it: one line of canonical JSON (RFC 8785), and its search columns.

Pure. What an event says is cut to a length and cleaned of what is not Unicode before it is written:
an odd name from outside must not be able to stop the act from being recorded.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import rfc8785

from governance.events import Event

VERSION = 1
TEXT_MAX_CHARS = 1000
COLUMN_MAX_CHARS = 255
# A verification reads every body; `json.loads` looks for white space first, which costs time.
_SCAN: Any = vars(json.JSONDecoder())["scan_once"]


class Columns(NamedTuple):
    """What a body says about itself; ts as it is written there."""

    seq: int
    ts: str
    action: str
    actor_id: str
    department_id: str | None
    object_id: str | None


def body_of(event: Event, seq: int, at: datetime) -> dict[str, Any]:
    """The body of one leaf; at is written in UTC to the millisecond."""
    actor = event.actor
    made = {
        "v": VERSION,
        "seq": seq,
        "ts": timestamp(at),
        "actor": {
            "iss": actor.issuer,
            "sub": actor.subject,
            "auth": actor.auth,
            "person": actor.person_id,
            "key": actor.key_id,
        },
        "tenant": event.department_id,
        "action": str(event.action),
        "object": {"type": event.object_type, "id": event.object_id, "digest": event.digest},
        "outcome": event.outcome,
        "reason": event.reason,
        "request_id": event.request_id,
        "facts": dict(event.facts),
    }
    return {name: _clean(value) for name, value in made.items()}


def canonical(body: Mapping[str, Any]) -> str:
    """The one text that stands for a body."""
    text: bytes = rfc8785.dumps(dict(body))
    return text.decode()


def columns_in(text: str) -> Columns:
    """What a body says about itself. Raises ValueError where it is no body of a leaf."""
    return Columns(*said_in(text))


def said_in(text: str) -> tuple[int, str, str, str, str | None, str | None]:
    """The same as a plain tuple, for a verification, which asks this of every event."""
    try:
        body, end = _SCAN(text, 0)
        if end != len(text):
            raise ValueError("There is more than one body.")
        actor, object_id = body["actor"], body["object"]["id"]
        actor_id = f"{actor['iss']}|{actor['sub']}"
        return (
            body["seq"],
            body["ts"],
            body["action"],
            column(actor_id),
            body["tenant"],
            None if object_id is None else column(object_id),
        )
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise ValueError("This is no body of a leaf.") from error


def column(value: str) -> str:
    """A text as a search column holds it: short, and without what PostgreSQL cannot keep."""
    if value.isascii() and len(value) <= COLUMN_MAX_CHARS and "\0" not in value:
        return value
    value = value.encode("utf-8", "replace").decode()
    return value[:COLUMN_MAX_CHARS] if "\0" not in value else column(value.replace("\0", ""))


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole_milliseconds(at: datetime) -> datetime:
    """The time as it can be read back from the trail."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value[:TEXT_MAX_CHARS].encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_clean(name): _clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value
