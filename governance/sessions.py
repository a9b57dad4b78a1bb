"""Keeps browser sessions: a random reference in the cookie, everything else in the record.

A session ends when nobody asked anything for the idle time, at its absolute end, when its person
signs out, is suspended or expires, and when the person has opened too many. Idle time is counted
from a mark that is moved at most once a minute: a session can end up to a minute early, never late.
A locked session still knows whose it is, and does nothing until its person shows the password.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, or_, select

from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, NotFound, SignInRefused, TrailBlocked
from governance.events import SYSTEM, Action, Actor, Event, Fact
from governance.passwords import expect_password
from governance.people_rows import is_usable, lock_person
from governance.record.database import Record
from governance.record.people_tables import people, sessions

TOKEN_BYTES = 32
MAX_TOKEN_CHARS = 64
MARK_EVERY_S = 60
MAX_CLIENT_CHARS = 120


@dataclass(frozen=True, slots=True)
class Session:
    """An open browser session; id is the digest of what the cookie holds."""

    id: str
    person_id: str
    auth: str
    client: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    locked: bool


class SessionStore:
    """Starts, finds and ends browser sessions."""

    def __init__(self, record: Record, settings: GovernanceSettings, hmac_key: bytes) -> None:
        self._record = record
        self._idle = timedelta(seconds=settings.session_idle_s)
        self._absolute = timedelta(seconds=settings.session_absolute_s)
        self._per_person = settings.sessions_per_person
        self._hmac_key = hmac_key

    def start(
        self,
        actor: Actor,
        person_id: str,
        auth: str,
        client: str,
        now: datetime,
        replaces: str | None = None,
        facts: Mapping[str, Fact] | None = None,
        password_set_at: datetime | None = None,
    ) -> str:
        """Open a session and return its token, which is nowhere kept.

        client: the browser's own words. replaces: the token of an older session of this browser,
        which ends. facts: what more the event says. password_set_at: which password was checked; a
        newer one opens none. Raises NotFound, SignInRefused.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        opened = Session(
            digest_of(token),
            person_id,
            auth,
            client_text(client),
            created_at=now,
            seen_at=now,
            expires_at=now + self._absolute,
            locked=False,
        )
        with self._record.write() as connection:
            if not is_usable(lock_person(connection, person_id), now):
                raise SignInRefused("This account cannot be used.", "Ask an administrator.")
            if password_set_at is not None:
                expect_password(connection, person_id, password_set_at)
            if replaces is not None:
                self._end_where(connection, actor, sessions.c.id == digest_of(replaces), "replaced")
            self._make_room(connection, actor, person_id)
            connection.execute(sessions.insert().values(_values(opened)))
            self._note(connection, Action.SESSION_STARTED, actor, opened, dict(facts or {}))
        return token

    def find(self, token: str, now: datetime, touch: bool = True) -> Session | None:
        """The open session of this token, locked or not.

        touch: whether this counts as activity; an open stream that asks again passes False.
        """
        session_id = digest_of(token)
        with self._record.read() as connection:
            found = self._open(connection, now, sessions.c.id == session_id)
        if not found:
            return None
        if touch and (now - found[0].seen_at).total_seconds() >= MARK_EVERY_S:
            # The mark of a session that ended in between stays gone: an update finds no row.
            # Only a mark: what must be recorded is refused by itself, and health can still be read.
            with suppress(TrailBlocked), self._record.write() as connection:
                mine = sessions.update().where(sessions.c.id == session_id)
                connection.execute(mine.values(seen_at=now))
        return found[0]

    def end(self, actor: Actor, session_id: str, reason: str | None = None) -> None:
        """End one session. Raises NotFound."""
        with self._record.write() as connection:
            if not self._end_where(connection, actor, sessions.c.id == session_id, reason):
                raise _no_session()

    def end_all(self, actor: Actor, person_id: str, keep_session: str | None = None) -> int:
        """End a person's sessions, but for one; return how many."""
        theirs = sessions.c.person_id == person_id
        others = theirs if keep_session is None else theirs & (sessions.c.id != keep_session)
        with self._record.write() as connection:
            return self._end_where(connection, actor, others, None)

    def sessions_of(self, person_id: str, now: datetime) -> tuple[Session, ...]:
        """The person's open sessions, newest first."""
        with self._record.read() as connection:
            return tuple(self._open(connection, now, sessions.c.person_id == person_id))

    def lock(self, actor: Actor, session_id: str) -> None:
        """Lock a session on a shared computer. Raises NotFound, IllegalTransition."""
        with self._record.write() as connection:
            found = _step(connection, session_id, locked=True)
            self._note(connection, Action.SESSION_LOCKED, actor, found)

    def unlock(self, actor: Actor, session_id: str, now: datetime) -> str:
        """Open a locked session again under a new token; `SignIn.unlock` checks the password first.

        Raises NotFound, IllegalTransition.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._record.write() as connection:
            found = _step(connection, session_id, locked=False)
            fresh = digest_of(token)
            mine = sessions.update().where(sessions.c.id == session_id)
            connection.execute(mine.values(id=fresh, seen_at=now))
            self._note(connection, Action.SESSION_UNLOCKED, actor, found, {"continued_as": fresh})
        return token

    def csrf_token(self, session_id: str) -> str:
        """What a form of this session must bring along."""
        message = f"csrf|{session_id}".encode()
        return hmac.new(self._hmac_key, message, hashlib.sha256).hexdigest()

    def sweep(self, now: datetime) -> int:
        """Remove the sessions that have ended by themselves; return how many."""
        over = or_(sessions.c.expires_at <= now, sessions.c.seen_at <= now - self._idle)
        with self._record.write() as connection:
            return self._end_where(connection, SYSTEM, over, "time")

    def _open(
        self, connection: Connection, now: datetime, condition: ColumnElement[bool]
    ) -> list[Session]:
        query = (
            select(sessions)
            .join_from(sessions, people)
            .where(
                condition,
                sessions.c.expires_at > now,
                sessions.c.seen_at > now - self._idle,
                people.c.state == "active",
                or_(people.c.expires_at.is_(None), people.c.expires_at > now),
            )
            .order_by(sessions.c.created_at.desc(), sessions.c.id)
        )
        return [_session(row) for row in connection.execute(query).mappings()]

    def _make_room(self, connection: Connection, actor: Actor, person_id: str) -> None:
        """End the oldest, so that one more fits."""
        newest = (
            select(sessions.c.id)
            .where(sessions.c.person_id == person_id)
            .order_by(sessions.c.created_at.desc(), sessions.c.id)
            .limit(self._per_person - 1)
        )
        kept = [row.id for row in connection.execute(newest)]
        others = (sessions.c.person_id == person_id) & sessions.c.id.not_in(kept)
        self._end_where(connection, actor, others, "too many")

    def _end_where(
        self, connection: Connection, actor: Actor, which: ColumnElement[bool], reason: str | None
    ) -> int:
        query = select(sessions).where(which).order_by(sessions.c.id).with_for_update()
        ended = [_session(row) for row in connection.execute(query).mappings()]
        for one in ended:
            connection.execute(sessions.delete().where(sessions.c.id == one.id))
            self._note(connection, Action.SESSION_ENDED, actor, one, reason=reason)
        return len(ended)

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        session: Session,
        facts: Mapping[str, Fact] | None = None,
        reason: str | None = None,
    ) -> None:
        more = {"person": session.person_id, "auth": session.auth, **(facts or {})}
        self._record.trail.append(
            connection,
            Event(
                action,
                actor,
                object_type="session",
                object_id=session.id,
                reason=reason,
                facts=more,
            ),
        )


def client_text(user_agent: str) -> str:
    """The browser's words, printable and short enough to be shown."""
    words = "".join(char if char.isprintable() else " " for char in user_agent[:1_000])
    return " ".join(words.split())[:MAX_CLIENT_CHARS] or "unknown"


def digest_of(token: str) -> str:
    """The name under which a session is kept."""
    return hashlib.sha256(token[:MAX_TOKEN_CHARS].encode("utf-8", "replace")).hexdigest()


def _step(connection: Connection, session_id: str, *, locked: bool) -> Session:
    query = select(sessions).where(sessions.c.id == session_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise _no_session()
    if row["locked"] is locked:
        state = "locked" if locked else "open"
        raise IllegalTransition(f"This session is {state} already.", "Reload the page.")
    mine = sessions.update().where(sessions.c.id == session_id)
    connection.execute(mine.values(locked=locked))
    return _session(row)


def _session(row: RowMapping) -> Session:
    return Session(**row)


def _values(session: Session) -> dict[str, object]:
    return {column.name: getattr(session, column.name) for column in sessions.columns}


def _no_session() -> NotFound:
    return NotFound("This session has ended.", "Reload the page.")
