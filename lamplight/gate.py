"""The runtime's gate as governance keeps it: keys and rights, limits, and the trail of the record.

A request comes in one of four ways, and in no other:

    the key of this start      the platform, which has charged and recorded the question itself
    an API key                 its owner, as the record knows them at this moment
    no key, on this machine    the principal `local`, whose rights are the settings'
    no key, from elsewhere     nobody: 401

What a model may see for them is asked by its digest, before it works and again while it does: see
governance/model_rules.py. The platform's requests carry their department; one without any is for
all of them.

A key that is wrong, expired or revoked, or that comes by another header, is nobody too, wherever
it comes from. What clients write who must send some key (`ollama`) is no key.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from starlette.datastructures import Headers

from governance.approvals import ApprovalStore
from governance.charges import Charge
from governance.clock import Clock, utc_now
from governance.denials import Denials
from governance.errors import ModelNotApproved, QuotaExceeded, TrailBlocked
from governance.events import Event, actor_of
from governance.keys import KeyStore
from governance.model_guard import AskedBy, ModelGuard
from governance.model_uses import ModelUse, note_use
from governance.people import PeopleStore
from governance.permissions import Grant, Permission, Principal, Role, decide
from governance.quotas import QuotaStore
from governance.record.database import Record, open_record
from lamplight.approval_basis import basis_of
from lamplight.installing import model_store
from lamplight.model_events import changed, denied, not_identified, quarantined, used
from lamplight.model_shelf import ModelShelf, named
from lamplight.runtime_key import read_key
from lamplight.settings import Settings
from runtime.api.gate import Change, Use, Visit, Visitor
from runtime.api.guard import is_loopback
from runtime.api.refusal import Forbidden, LimitReached, NotRecorded, Unauthorized
from runtime.catalog import Catalog, builtin_catalog
from runtime.config import RuntimeSettings
from runtime.store import InstalledModel
from web.limit_headers import limit_headers

PLATFORM = Principal(
    person_id=None,
    issuer="lamplight",
    subject="platform",
    name="The platform",
    auth="runtime",
    grants=(Grant(Role.STAFF, department_id=None),),
    scopes=frozenset({Permission.MODELS_USE}),
)
log = structlog.get_logger(__name__)

OTHER_KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
# A proxy on this machine brings requests of others, who are not `local`.
PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
MAX_ID_CHARS = 64
WITHOUT_PERSON = "It came without the key of a person."
MANAGE_HINT = (
    "Use the lamplight command as the owner of the data directory, or, where this computer is "
    "yours alone, set runtime.local_may_manage."
)
KEY_HINT = "Send a Lamplight key as `Authorization: Bearer KEY`."


class RecordGate:
    """Lets requests to the models through as the record says, and writes down what they did."""

    def __init__(
        self,
        settings: RuntimeSettings,
        start_key: str,
        record: Record,
        keys: KeyStore,
        quotas: QuotaStore,
        guard: ModelGuard,
        clock: Clock = utc_now,
        catalog: Catalog | None = None,
    ) -> None:
        self._start_key = start_key.encode()
        self._placeholders = {word.lower() for word in settings.placeholder_keys} | {""}
        self._local = local_principal(may_manage=settings.local_may_manage)
        self._serves_local = is_loopback(settings.host) and not settings.ask_for_key
        self._record = record
        self._keys = keys
        self._quotas = quotas
        self._guard = guard
        self._catalog = catalog or builtin_catalog()
        self._clock = clock
        self._denials = Denials()

    def identify(self, headers: Headers) -> Visitor:
        """Who sent a request with these headers. Raises Unauthorized."""
        shown = headers.getlist("authorization")
        if len(shown) > 1 or any(name in headers for name in OTHER_KEY_HEADERS):
            raise self._unauthorized("another way than one Authorization header")
        if not shown:
            return self._without_key(headers)
        scheme, _, key = shown[0].partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer":
            raise self._unauthorized("another scheme than Bearer")
        if hmac.compare_digest(key.encode(), self._start_key):
            return _platform(headers)
        if key.lower() in self._placeholders:
            return self._without_key(headers)
        return self._with_key(key)

    def check(self, visitor: Visitor, permission: Permission, endpoint: str) -> None:
        """Let the visitor do this, or record that it was denied. Raises Forbidden."""
        decision = decide(visitor.principal, permission, None, self._clock())
        if decision.allowed:
            return
        reason = decision.reason if visitor.principal.key_id else WITHOUT_PERSON
        self._write(denied(visitor, endpoint, reason, permission=str(permission)))
        manages = permission is Permission.MODELS_MANAGE
        hint = MANAGE_HINT if manages else "Ask an administrator for the right."
        raise Forbidden(f"{visitor.principal.name} may not do this ({permission})", hint)

    def approve(self, visit: Visit, model: InstalledModel) -> None:
        """Let this model work for the visitor, or record that it was refused. Raises Forbidden."""
        try:
            with _recording():
                self._guard.require(named(self._catalog, model), asked_by(visit), self._clock())
        except ModelNotApproved as error:
            raise Forbidden(error.message, error.hint) from error

    def reserve(self, visit: Visit, tokens: int) -> str | None:
        """Set tokens aside before a model works. Raises LimitReached."""
        visitor = visit.visitor
        if visitor.is_platform:
            return None
        principal = visitor.principal
        who = (principal.person_id, principal.department_id)
        now = self._clock()
        try:
            with _recording():
                return self._quotas.reserve(*who, tokens, now).id
        except QuotaExceeded as error:
            limit = f"{error.what} a {error.period}"
            self._write(denied(visitor, visit.endpoint, "The limit is used up.", limit=limit))
            raise LimitReached(error.message, error.hint, error.retry_after_s) from error
        finally:
            visit.headers.update(limit_headers(self._quotas.left(*who, now)))

    def renew(self, reservation: str) -> None:
        """Keep what is set aside while an answer goes on."""
        self._quotas.renew(reservation, self._clock())

    def record_use(self, visit: Visit, use: Use, reservation: str | None) -> None:
        """Record what a model did and charge it; of the platform's own questions, only count it."""
        counted = self._counted(visit, use)
        if visit.visitor.is_platform:
            if counted is not None:
                with _recording(), self._record.write() as connection:
                    note_use(connection, counted)
            return
        charge = None if reservation is None else Charge(reservation, tokens_to_charge(use))
        with _recording():
            self._quotas.record_use(used(visit, use), charge, counted)

    def record_change(self, visit: Visit, change: Change) -> None:
        """Record what was done, or tried, to a model."""
        self._write(changed(visit, change))

    def _counted(self, visit: Visit, use: Use) -> ModelUse | None:
        """What the inventory counts; None where the model did nothing."""
        if use.prompt_tokens + use.answer_tokens == 0:
            return None
        place = asked_by(visit).department_id
        return ModelUse(use.digest, use.model, place, self._clock())

    def _without_key(self, headers: Headers) -> Visitor:
        if not self._serves_local or any(name in headers for name in PROXY_HEADERS):
            raise self._unauthorized("no key")
        return Visitor(self._local)

    def _with_key(self, key: str) -> Visitor:
        now = self._clock()
        principal = self._keys.principal_of(key, now)
        if principal is None or principal.suspended:
            raise self._unauthorized("a key that is not valid")
        if principal.expires_at is not None and principal.expires_at <= now:
            raise self._unauthorized("a key that has expired")
        return Visitor(principal)

    def _unauthorized(self, shown: str) -> Unauthorized:
        """The error for a request that showed nobody, once its refusal is recorded."""
        left_out = self._denials.take(self._clock())
        if left_out is not None:
            self._write(not_identified(shown, left_out))
        return Unauthorized(KEY_HINT)

    def record_quarantine(self, model: InstalledModel) -> None:
        """Record that a model was set aside. It stays so where nothing can be recorded now."""
        try:
            self._write(quarantined(model))
        except NotRecorded:
            log.exception("a quarantine could not be recorded", model=str(model.name))

    def _write(self, event: Event) -> None:
        with _recording(), self._record.write() as connection:
            self._record.trail.append(connection, event)


@contextmanager
def _recording() -> Iterator[None]:
    """Say to clients of the runtime what they can do where nothing can be recorded."""
    try:
        yield
    except TrailBlocked as error:
        raise NotRecorded(error.message, error.hint) from error


@contextmanager
def open_gate(settings: Settings) -> Iterator[RecordGate]:
    """The gate of a runtime that opens the record itself. Raises RecordUnusable."""
    record = open_record(settings.governance)
    approvals = ApprovalStore(record, settings.governance)
    known = ModelShelf(model_store(settings), settings.rag)
    basis = basis_of(known, settings.rag, settings.governance)
    try:
        yield RecordGate(
            settings.runtime,
            read_key(settings.runtime_key_path),
            record,
            KeyStore(record, PeopleStore(record)),
            QuotaStore(record),
            ModelGuard(record, settings.governance, approvals, basis),
        )
    finally:
        record.close()


def asked_by(visit: Visit) -> AskedBy:
    """Whom a model works for at this visit."""
    visitor = visit.visitor
    place = visitor.department_id if visitor.is_platform else visitor.principal.department_id
    return AskedBy(
        actor_of(visitor.principal),
        place,
        visit.endpoint,
        visitor.request_id,
        for_all=visitor.is_platform and place is None,
    )


def tokens_to_charge(use: Use) -> int | None:
    """What a use costs; None where no model began to work."""
    tokens = use.prompt_tokens + use.answer_tokens
    return tokens if tokens or use.outcome == "done" else None


def local_principal(*, may_manage: bool) -> Principal:
    """Every program of this machine that shows no key."""
    role = Role.ADMINISTRATOR if may_manage else Role.STAFF
    scopes = {Permission.MODELS_USE} | ({Permission.MODELS_MANAGE} if may_manage else set())
    return Principal(
        person_id=None,
        issuer="runtime",
        subject="local",
        name="A program of this computer without a key",
        auth="none",
        grants=(Grant(role, department_id=None),),
        scopes=frozenset(scopes),
    )


def _platform(headers: Headers) -> Visitor:
    return Visitor(
        PLATFORM,
        is_platform=True,
        person_id=_id(headers, "x-lamplight-person"),
        department_id=_id(headers, "x-lamplight-department"),
        request_id=_id(headers, "x-lamplight-request"),
    )


def _id(headers: Headers, name: str) -> str | None:
    return headers.get(name, "")[:MAX_ID_CHARS] or None
