"""What stands between a request and a model: who asks, may they, count it, record it.

Governance is asked through this protocol; `lamplight/gate.py` answers from the record. Every method
may block on a database, so whoever serves requests calls them in a thread.
"""

from dataclasses import dataclass, field
from typing import Protocol

from starlette.datastructures import Headers
from starlette.requests import Request

from governance.permissions import Permission, Principal
from runtime.store import InstalledModel


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever sent a request, as known at this moment.

    is_platform: it came with the key that was made at the start; the platform charges and records
    its questions itself. person_id, department_id, request_id: whom it asks for, on its word.
    """

    principal: Principal
    is_platform: bool = False
    person_id: str | None = None
    department_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor at one endpoint, which is a method and a path template.

    headers: what the gate has to say of the visitor's limits; they go out with the answer.
    models: those that work for it now; the gate is asked about each again while they do.
    """

    visitor: Visitor
    endpoint: str
    headers: dict[str, str] = field(default_factory=dict)
    models: list[InstalledModel] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Use:
    """What a model did for a request. outcome: `done` or `failed`; reason: why it failed.

    prompt_tokens is estimated where the request ended before the model had counted them, and 0
    where it ended before the model began, or because the model could not.
    """

    model: str
    digest: str
    prompt_tokens: int
    answer_tokens: int
    outcome: str = "done"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A try to pull, create, copy or delete a model. verb: one of these words."""

    verb: str
    model: str
    digest: str | None = None
    outcome: str = "done"
    reason: str | None = None


class Gate(Protocol):
    """Decides, counts and records."""

    def identify(self, headers: Headers) -> Visitor:
        """Who sent a request with these headers. Raises Unauthorized."""
        ...

    def check(self, visitor: Visitor, permission: Permission, endpoint: str) -> None:
        """Let the visitor do this, or record that it was denied. Raises Forbidden."""
        ...

    def approve(self, visit: Visit, model: InstalledModel) -> None:
        """Let this model work for the visitor, by its digest, or record that it was refused.

        Raises Forbidden.
        """
        ...

    def reserve(self, visit: Visit, tokens: int) -> str | None:
        """Set tokens aside before a model works; the reservation, if any. Raises LimitReached.

        Fills in the headers of the visit.
        """
        ...

    def renew(self, reservation: str) -> None:
        """Keep what is set aside while an answer goes on."""
        ...

    def record_use(self, visit: Visit, use: Use, reservation: str | None) -> None:
        """Charge what was used instead of what was reserved, and record it once."""
        ...

    def record_change(self, visit: Visit, change: Change) -> None:
        """Record what was done to a model."""
        ...


def visit_of(request: Request) -> Visit:
    """The visit that the gatekeeper let in; an endpoint without one is a bug."""
    visit = request.state.visit
    assert isinstance(visit, Visit)
    return visit
