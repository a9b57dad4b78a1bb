"""Finds out who sent a request: by the owner's socket, a key, a client certificate or a session.

Exactly one of them. Whoever shows two is refused, because what happened afterwards could be told
about either; only a session cookie beside a key is ignored, as browsers add it by themselves. Keys
come in `Authorization: Bearer` and by no other header.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from starlette.requests import Request

from governance.denials import Denials
from governance.errors import NotFound
from governance.events import Action, Actor, Event, Fact
from governance.permissions import Grant, Principal, Role
from governance.sessions import Session
from web.caller import Caller
from web.client_certificate import certificate_of, identity_of
from web.errors import (
    CertificateRefused,
    CertificateUnknown,
    KeyRefused,
    SessionEnded,
    SessionLocked,
    TwoCredentials,
    WebError,
)
from web.parts import Platform
from web.session_cookie import session_token

UNIDENTIFIED = Actor("platform", "unidentified", "none")
# A credential that is no good; a session that has ended is none of these.
REFUSALS = (KeyRefused, TwoCredentials, CertificateRefused, CertificateUnknown)
OTHER_KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
# Whoever reaches the socket in the data directory could as well read its files.
OWNER = Principal(
    person_id=None,
    issuer="local",
    subject="owner",
    name="The owner of this data directory",
    auth="socket",
    grants=(Grant(Role.ADMINISTRATOR, department_id=None),),
)


@dataclass(frozen=True, slots=True)
class Identified:
    """A principal with the session that showed it, if it was one."""

    principal: Principal
    session: Session | None = None


# touch: whether this counts as activity of the person.
Identify = Callable[[bool], Identified]


class Callers:
    """The one place where a request becomes somebody."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._denials = Denials()

    def find(self, request: Request, *, touch: bool = True) -> Caller | None:
        """Who sent this request, as the record knows them now; None: it shows nothing.

        Raises NotSignedIn, CertificateRefused.
        """
        try:
            ways = self._ways(request)
            if len(ways) > 1:
                raise TwoCredentials
            return self._caller(ways[0], uuid4().hex, touch=touch) if ways else None
        except REFUSALS as error:
            self._note_refusal(error)
            raise

    def _ways(self, request: Request) -> list[Identify]:
        ways: list[Identify] = []
        if self._is_owner(request):
            ways.append(lambda _touch: Identified(OWNER))
        keys = request.headers.getlist("authorization")
        has_key = bool(keys) or any(name in request.headers for name in OTHER_KEY_HEADERS)
        if has_key:
            others = any(name in request.headers for name in OTHER_KEY_HEADERS)
            ways.append(lambda _touch: self._by_key(keys, others=others))
        certificate = certificate_of(request.scope)
        if certificate is not None:
            ways.append(lambda _touch: self._by_certificate(certificate))
        token = session_token(request)
        if token and not has_key:
            ways.append(lambda touch: self._by_session(token, touch=touch))
        return ways

    def _caller(self, identify: Identify, request_id: str, *, touch: bool) -> Caller:
        found = identify(touch)
        sessions, session = self._platform.sessions, found.session

        def again() -> Caller:
            later = self._caller(identify, request_id, touch=False)
            if later.is_locked:
                raise SessionLocked
            return later

        return Caller(
            principal=found.principal,
            session=session,
            csrf_token="" if session is None else sessions.csrf_token(session.id),
            known=self._platform.policies.departments(),
            request_id=request_id,
            again=again,
            note=self._note,
            clock=self._platform.clock,
        )

    def _is_owner(self, request: Request) -> bool:
        """Whether the connection came over the Unix socket that only the owner can open.

        Its address is what our own server says of the connection, nothing that a client sends.
        """
        socket, server = self._platform.admin_socket, request.scope.get("server")
        return socket is not None and server is not None and tuple(server) == (str(socket), None)

    def _by_key(self, shown: list[str], *, others: bool) -> Identified:
        if others or len(shown) != 1:
            raise KeyRefused("It must come in one Authorization header.")
        scheme, _, key = shown[0].partition(" ")
        if scheme.lower() != "bearer":
            raise KeyRefused("The scheme must be Bearer.")
        principal = self._platform.keys.principal_of(key.strip(), self._platform.clock())
        if principal is None:
            raise KeyRefused("It is unknown, expired or revoked.")
        return Identified(principal)

    def _by_certificate(self, der: bytes) -> Identified:
        platform = self._platform
        now = platform.clock()
        named = identity_of(der, now, platform.settings)
        person = platform.people.by_identity(named.issuer, named.subject)
        if person is None or not person.is_usable(now):
            raise CertificateUnknown(named.subject)
        return Identified(platform.people.principal(person.id, "mtls"))

    def _by_session(self, token: str, *, touch: bool) -> Identified:
        session = self._platform.sessions.find(token, self._platform.clock(), touch)
        if session is None:
            raise SessionEnded
        try:
            principal = self._platform.people.principal(session.person_id, session.auth)
        except NotFound as error:
            raise SessionEnded from error
        return Identified(principal, session)

    def _note_refusal(self, error: WebError) -> None:
        """Record that a credential was no good: of nobody, so only some a minute."""
        left_out = self._denials.take(self._platform.clock())
        if left_out is not None:
            facts: dict[str, Fact] = {"left_out": left_out}
            outcome, reason = "refused", type(error).__name__
            self._note(
                Event(
                    Action.ACCESS_DENIED, UNIDENTIFIED, outcome=outcome, reason=reason, facts=facts
                )
            )

    def _note(self, event: Event) -> None:
        record = self._platform.record
        with record.write() as connection:
            record.trail.append(connection, event)
