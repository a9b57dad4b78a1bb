"""Sign-ins under way at an identity provider: begun here, taken up once, by the same browser.

The browser keeps a secret in a short-lived cookie; the state parameter, which travels through the
provider, is that secret's digest. Whoever sees the state cannot make the cookie, so nobody can
finish a sign-in of their own in another person's browser. The record keeps only the state's digest.
"""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from sqlalchemy import delete, func, insert, select

from governance.errors import FlowRefused, TooManyFlows
from governance.events import Action, Actor, Event
from governance.record.database import Record
from governance.record.people_tables import oidc_flows

FLOW_KEPT = timedelta(minutes=10)
# Anybody may begin a sign-in, so what is begun is bounded.
MAX_FLOWS = 5000
MAX_PATH_CHARS = 2000
MAX_REASON_CHARS = 300


@dataclass(frozen=True, slots=True, repr=False)
class Flow:
    """One sign-in under way; it does not print, because most of it is secret."""

    browser_secret: str
    state: str
    nonce: str
    verifier: str
    next_path: str


class OidcFlows:
    """The sign-ins under way."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def start(self, next_path: str, now: datetime) -> Flow:
        """Begin a sign-in. Raises TooManyFlows."""
        secret = secrets.token_urlsafe(32)
        path = next_path if len(next_path) <= MAX_PATH_CHARS else "/"
        flow = Flow(
            secret, state_of(secret), secrets.token_urlsafe(32), secrets.token_urlsafe(64), path
        )
        with self._record.write() as connection:
            connection.execute(delete(oidc_flows).where(oidc_flows.c.expires_at <= now))
            count = connection.execute(select(func.count()).select_from(oidc_flows)).scalar_one()
            if count >= MAX_FLOWS:
                raise TooManyFlows
            connection.execute(
                insert(oidc_flows).values(
                    id=_digest(flow.state),
                    nonce=flow.nonce,
                    verifier=flow.verifier,
                    next_path=flow.next_path,
                    expires_at=now + FLOW_KEPT,
                )
            )
        return flow

    def take(self, state: str, browser_secret: str, now: datetime) -> Flow:
        """Take up a sign-in, once and never again. Raises FlowRefused."""
        if not state or not browser_secret:
            raise FlowRefused("It was not begun in this browser.")
        if not compare_digest(state_of(browser_secret).encode(), state.encode(errors="replace")):
            raise FlowRefused("It was begun in another browser.")
        taken = delete(oidc_flows).where(oidc_flows.c.id == _digest(state))
        with self._record.write() as connection:
            row = connection.execute(
                taken.returning(
                    oidc_flows.c.nonce,
                    oidc_flows.c.verifier,
                    oidc_flows.c.next_path,
                    oidc_flows.c.expires_at,
                )
            ).one_or_none()
        if row is None:
            raise FlowRefused("It was already finished.")
        if row.expires_at <= now:
            raise FlowRefused("It took too long.")
        return Flow(browser_secret, state, row.nonce, row.verifier, row.next_path)

    def refused(self, issuer: str, reason: str, action: Action = Action.SESSION_REFUSED) -> None:
        """Record that a sign-in at this provider, or its sign-out, was refused, and why."""
        event = Event(
            action,
            Actor(issuer, "unknown", "oidc"),
            outcome="refused",
            reason=reason[:MAX_REASON_CHARS],
        )
        with self._record.write() as connection:
            self._record.trail.append(connection, event)


def state_of(browser_secret: str) -> str:
    """The state parameter that belongs to the secret in the browser's cookie."""
    digest = sha256(b"lamplight state\n" + browser_secret.encode(errors="replace")).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _digest(state: str) -> str:
    return sha256(state.encode()).hexdigest()
