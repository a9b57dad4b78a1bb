"""Whoever sent a request, and what they may do here: the one value that every view asks.

A view never takes a department from the request alone. It takes it from `departments`, or asks
`require` about the department of the thing itself; a refusal is written into the trail.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from governance.clock import Clock
from governance.errors import NotFound
from governance.events import Action, Actor, Event, actor_of
from governance.permissions import Permission, Principal, decide
from governance.policies import Department
from governance.sessions import Session
from rag.asker import Asker
from web.errors import Forbidden, NoCredential

Note = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Caller:
    """One principal in one request.

    session: the browser session, if it is one. csrf_token: what its forms bring along. known: every
    department, as the record has them now. again: the same caller as the record knows them at that
    later moment; raises NotSignedIn or SessionLocked once they are not to be served any more.
    """

    principal: Principal
    session: Session | None
    csrf_token: str
    known: tuple[Department, ...]
    request_id: str
    again: Callable[[], "Caller"] = field(repr=False)
    note: Note = field(repr=False)
    clock: Clock = field(repr=False)

    @property
    def actor(self) -> Actor:
        """Who it is in the trail."""
        return actor_of(self.principal)

    @property
    def owner(self) -> str:
        """To whom what is kept for a later look belongs."""
        return self.actor.id

    @property
    def is_locked(self) -> bool:
        """Whether the person has left the computer; nothing is done until they are back."""
        return self.session is not None and self.session.locked

    def departments(self, permission: Permission) -> tuple[Department, ...]:
        """Where the caller may do this, by name."""
        return tuple(one for one in self.known if self.may(permission, one.id))

    def department_names(self, permission: Permission) -> frozenset[str]:
        """The names of the departments where the caller may do this."""
        return frozenset(one.name for one in self.departments(permission))

    def may(self, permission: Permission, department_id: str | None = None) -> bool:
        """Whether the caller may do this there; without a department, on the whole platform."""
        return decide(self.principal, permission, department_id, self.clock()).allowed

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether the caller may do this in one department at least."""
        return self.may(permission) or any(self.may(permission, one.id) for one in self.known)

    def require(self, permission: Permission, department_id: str | None) -> None:
        """Let this happen, or record that it was denied. Raises Forbidden."""
        decision = decide(self.principal, permission, department_id, self.clock())
        if not decision.allowed:
            raise self.denied(permission, department_id, decision.reason)

    def require_in(self, permission: Permission, department: str, gone: NotFound) -> None:
        """The same for a thing of the department of this name.

        Raises Forbidden; or `gone`, as if it were not there, to whom sees nothing of that
        department.
        """
        place = next((one.id for one in self.known if one.name == department), None)
        if place is not None and self.may(permission, place):
            return
        refusal = self.denied(permission, place, "Not allowed in the department of this thing.")
        if place is not None and self.may(Permission.POLICIES_READ, place):
            raise refusal
        raise gone

    def denied(self, permission: Permission, department_id: str | None, reason: str) -> Forbidden:
        """Record a refusal, and return it."""
        self.note(
            Event(
                Action.ACCESS_DENIED,
                self.actor,
                department_id,
                outcome="refused",
                reason=reason,
                request_id=self.request_id,
                facts={"permission": permission.value},
            )
        )
        return Forbidden()

    def asker(self, department_id: str | None) -> Asker:
        """For whom the models work, as our own runtime is told."""
        return Asker(self.principal.person_id, department_id, self.request_id)


def caller_of(request: Request) -> Caller:
    """Who sent this request. Raises NoCredential."""
    caller = maybe_caller_of(request)
    if caller is None:
        raise NoCredential
    return caller


def maybe_caller_of(request: Request) -> Caller | None:
    """Who sent this request, where it may be nobody."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller
