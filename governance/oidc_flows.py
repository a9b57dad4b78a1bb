"""Sign-ins under way at an identity provider: begun here, finished once, by the same browser.

Nothing of a sign-in under way is kept here, so strangers, who may begin as many as they like, fill
nothing. The browser keeps it in a short-lived cookie: a random secret, when it began, the page it
leads to and the locked session it is to open. State, nonce and PKCE verifier are keyed digests of
that cookie. Whoever sees the state, which travels through the provider, can make no cookie for it,
so nobody finishes a sign-in of their own in another person's browser. Whoever holds the browser can
read the cookie, but change nothing of it, and cannot compute the verifier without our key.

Once the provider has vouched for somebody, the state and that very authentication are written down
as used: neither opens a second session.
"""

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from governance.denials import Denials
from governance.errors import FlowRefused
from governance.events import Action, Actor, Event
from governance.record.database import Record
from governance.record.people_tables import used_sign_ins

FLOW_KEPT = timedelta(minutes=10)
# To open a lock one is there already. The shorter, the less another sign-in at the provider, made
# meanwhile for another application, can be taken for this one.
UNLOCK_KEPT = timedelta(minutes=2)
MAX_REASON_CHARS = 300


@dataclass(frozen=True, slots=True, repr=False)
class Flow:
    """One sign-in under way; it does not print, because most of it is secret.

    locked_session: the id of the session that was locked in this browser when it began, or nothing.
    """

    cookie: str
    state: str
    nonce: str
    verifier: str
    begun_at: datetime
    locked_session: str
    next_path: str


class OidcFlows:
    """The sign-ins under way."""

    def __init__(self, record: Record, hmac_key: bytes, denials: Denials | None = None) -> None:
        self._record = record
        self._hmac_key = hmac_key
        self._denials = denials or Denials()

    def start(self, next_path: str, locked_session: str, now: datetime) -> Flow:
        """Begin a sign-in; the record does not hear of it."""
        secret = secrets.token_urlsafe(32)
        content = json.dumps([secret, now.isoformat(), locked_session, next_path])
        return self._flow(_base64url(content.encode()))

    def take_up(self, state: str, cookie: str, now: datetime) -> Flow:
        """The sign-in that this browser began. Raises FlowRefused."""
        if not state or not cookie:
            raise FlowRefused("It was not begun in this browser.")
        own = self._derived("state", cookie)
        if not hmac.compare_digest(own.encode(), state.encode(errors="replace")):
            raise FlowRefused("It was begun in another browser.")
        flow = self._flow(cookie)
        if now - flow.begun_at >= (UNLOCK_KEPT if flow.locked_session else FLOW_KEPT):
            raise FlowRefused("It took too long.")
        return flow

    def finish(
        self, flow: Flow, issuer: str, subject: str, signed_in_at: float, now: datetime
    ) -> None:
        """Use up this sign-in, once and never again. Raises FlowRefused.

        signed_in_at: when the person signed in at the provider, as its token says, seconds since
        1970. Without it, whoever began before could use what somebody else just did there.
        """
        signed_in = json.dumps([issuer, subject, float(signed_in_at)])
        # Twice as long as any sign-in that could take them up, whatever the clocks' difference.
        expires_at = now + 2 * FLOW_KEPT
        rows = [
            {"id": sha256(f"{kind}\n{text}".encode()).hexdigest(), "expires_at": expires_at}
            for kind, text in (("state", flow.state), ("signed in", signed_in))
        ]
        try:
            with self._record.write() as connection:
                connection.execute(delete(used_sign_ins).where(used_sign_ins.c.expires_at <= now))
                connection.execute(insert(used_sign_ins), rows)
        except IntegrityError as error:
            raise FlowRefused("It was already finished.") from error

    def refused(
        self,
        issuer: str,
        reason: str,
        now: datetime,
        action: Action = Action.SESSION_REFUSED,
        subject: str | None = None,
    ) -> None:
        """Record that a sign-in at this provider, or its sign-out, was refused, and why.

        subject: for whom the provider vouched. Of strangers only some a minute are recorded.
        """
        left_out = self._denials.take(now) if subject is None else 0
        if left_out is None:
            return
        event = Event(
            action,
            Actor(issuer, subject or "unknown", "oidc"),
            outcome="refused",
            reason=reason[:MAX_REASON_CHARS],
            facts={"left_out": left_out},
        )
        with self._record.write() as connection:
            self._record.trail.append(connection, event)

    def _flow(self, cookie: str) -> Flow:
        # Only of a cookie that we made: it is here, or its state was right.
        padded = cookie + "=" * (-len(cookie) % 4)
        _secret, begun_at, locked_session, next_path = json.loads(urlsafe_b64decode(padded))
        return Flow(
            cookie,
            self._derived("state", cookie),
            self._derived("nonce", cookie),
            self._derived("verifier", cookie),
            datetime.fromisoformat(begun_at),
            locked_session,
            next_path,
        )

    def _derived(self, kind: str, cookie: str) -> str:
        message = f"oidc {kind}\n{cookie}".encode(errors="replace")
        return _base64url(hmac.digest(self._hmac_key, message, "sha256"))


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
