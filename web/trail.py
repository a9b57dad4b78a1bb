"""The audit trail as pages and programs use it: search, entries, proofs, export, and its check.

Every act here stands in the trail itself: who searched it and by what, who took it along, and, as
`access.denied`, who was refused. What belongs to no department is for those who read all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from governance.audit.anchors import Anchor
from governance.audit.checkpoint import Checkpoints
from governance.audit.export import Profile, export
from governance.audit.leaf import canonical
from governance.audit.note import Proof
from governance.audit.search import Filter, Found, search
from governance.audit.verdict import Verdict
from governance.audit.verify import verify
from governance.clock import Clock, utc_now
from governance.errors import GovernanceError, NotFound
from governance.events import Action, Event, Fact
from governance.permissions import Permission
from governance.record.database import Record
from web.caller import Caller

PAGE_SIZE = 50
# No trail is so long, and every database can compare with it.
MAX_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class Checked:
    """How the trail was found to be, and when."""

    verdict: Verdict
    at: datetime


class Trail:
    """The trail of one record, for callers."""

    def __init__(
        self,
        record: Record,
        checkpoints: Checkpoints,
        anchors: Sequence[Anchor] = (),
        clock: Clock = utc_now,
    ) -> None:
        self._record = record
        self._checkpoints = checkpoints
        self._anchors = tuple(anchors)
        self._clock = clock
        self._lock = Lock()
        self._checked: Checked | None = None

    @property
    def checked(self) -> Checked | None:
        """The last check; None before the first."""
        return self._checked

    @property
    def trouble(self) -> GovernanceError | None:
        """Why the trail is not signed at the moment; None when it is."""
        return self._checkpoints.trouble

    def check(self) -> Checked:
        """Check the whole trail; whoever comes meanwhile waits for the same result."""
        began = self._clock()
        with self._lock:
            if self._checked is not None and self._checked.at >= began:
                return self._checked
            beside = self._checkpoints.beside_the_key
            with self._record.read() as connection:
                key = self._checkpoints.verifier_key
                verdict = verify(connection, key, anchors=self._anchors, beside=beside)
            self._checked = Checked(verdict, self._clock())
            return self._checked

    def search(
        self,
        caller: Caller,
        wanted: Filter,
        department_id: str | None = None,
        *,
        before: int | None = None,
        limit: int = PAGE_SIZE,
    ) -> tuple[Found, ...]:
        """The newest events that the caller may read. Raises Forbidden.

        That they were read is an event itself, which comes after what was found.
        """
        places = places_of(caller, Permission.AUDIT_READ, department_id)
        with self._record.read() as connection:
            last = None if before is None else min(before, MAX_NUMBER)
            found = search(connection, wanted, places, before=last, limit=limit)
        self._note_reading(caller, department_id, _facts_of(wanted))
        return found

    def entry(self, caller: Caller, seq: int) -> Found:
        """One event that the caller may read. Raises NotFound."""
        places = places_of(caller, Permission.AUDIT_READ)
        seq = min(seq, MAX_NUMBER)
        with self._record.read() as connection:
            found = search(connection, Filter(), places, before=seq + 1, limit=1)
        if not found or found[0].seq != seq:
            raise NotFound("There is no such event.", "Go back to the list of events.")
        self._note_reading(caller, None, {"event": seq})
        return found[0]

    def leaf(self, caller: Caller, seq: int) -> str:
        """The event as it was hashed: canonical JSON. Raises NotFound."""
        return canonical(self.entry(caller, seq).body)

    def proof(self, caller: Caller, seq: int) -> Proof:
        """That this event stands in the signed trail. Raises NotFound, TrailBroken."""
        self.entry(caller, seq)
        return self._checkpoints.prove(seq)

    def export(
        self, caller: Caller, profile: Profile, department_id: str | None = None
    ) -> Iterator[str]:
        """The trail as JSON lines, oldest first; that it was taken along is recorded first.

        Raises Forbidden.
        """
        places = places_of(caller, Permission.AUDIT_EXPORT, department_id)
        facts: dict[str, Fact] = {
            "profile": profile.value,
            "departments": None if places is None else list(places),
        }
        with self._record.write() as connection:
            event = Event(Action.AUDIT_EXPORTED, caller.actor, department_id, facts=facts)
            self._record.trail.append(connection, event)
        return self._lines(profile, places)

    def _lines(self, profile: Profile, places: tuple[str, ...] | None) -> Iterator[str]:
        with self._record.read() as connection:
            for line in export(connection, profile, places):
                yield f"{line}\n"

    def _note_reading(
        self, caller: Caller, department_id: str | None, facts: Mapping[str, Fact]
    ) -> None:
        event = Event(Action.AUDIT_SEARCHED, caller.actor, department_id, facts=facts)
        with self._record.write() as connection:
            self._record.trail.append(connection, event)


def _facts_of(wanted: Filter) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "actor": wanted.actor_id,
        "action": wanted.action,
        "object": wanted.object_id,
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def places_of(
    caller: Caller, permission: Permission, department_id: str | None = None
) -> tuple[str, ...] | None:
    """The departments whose events a caller may have; None: of all, and of none.

    Raises Forbidden for a department where they may not.
    """
    if department_id is not None:
        caller.require(permission, department_id)
        return (department_id,)
    if caller.may(permission):
        return None
    return tuple(place.id for place in caller.departments(permission))
