"""Browser sessions: started, found, locked and ended on the server."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, NotFound, SignInRefused
from governance.events import SYSTEM, Actor
from governance.people import PeopleStore, Person
from governance.record.database import Record
from governance.record.people_tables import sessions as table
from governance.record.trail_tables import audit_leaves
from governance.sessions import SessionStore, client_text, digest_of
from governance.testing_clock import START

NOW = START
IDLE, ABSOLUTE = timedelta(minutes=15), timedelta(hours=12)
SECOND = timedelta(seconds=1)


def acts(record: Record) -> list[tuple[str, str | None]]:
    with record.read() as connection:
        leaves = audit_leaves.c
        query = select(leaves.action, leaves.object_id).where(leaves.action.like("session.%"))
        return [(row[0], row[1]) for row in connection.execute(query.order_by(leaves.seq))]


def test_asvs_7_a_token_is_random_and_only_its_digest_is_kept(
    sessions: SessionStore, ada: Person, her: Actor, record: Record
) -> None:
    """256 bits go to the browser; the record and the trail hold their SHA-256."""
    one, two = (sessions.start(her, ada.id, "password", "Firefox", NOW) for _ in range(2))
    assert one != two
    assert len(one) == 43
    found = sessions.find(one, NOW)
    assert found is not None
    assert (found.id, found.person_id, found.auth) == (digest_of(one), ada.id, "password")
    with record.read() as connection:
        ids = set(connection.execute(select(table.c.id)).scalars())
        bodies = connection.execute(select(audit_leaves.c.body)).scalars().all()
    assert ids == {digest_of(one), digest_of(two)}
    assert not any(one in body or two in body for body in bodies)
    assert acts(record) == [("session.started", digest_of(token)) for token in (one, two)]


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 10_000, "\ud800", "a\x00b"])
def test_a_made_up_token_finds_nothing(
    sessions: SessionStore, ada: Person, her: Actor, token: str
) -> None:
    """Whatever a cookie holds, the answer is no."""
    sessions.start(her, ada.id, "password", "Firefox", NOW)
    assert sessions.find(token, NOW) is None


def test_hip_3_a_session_ends_when_idle_to_the_second(
    sessions: SessionStore, ada: Person, her: Actor
) -> None:
    """Fifteen minutes without a request are its end."""
    token = sessions.start(her, ada.id, "password", "Firefox", NOW)
    assert sessions.find(token, NOW + IDLE, touch=False) is None
    assert sessions.find(token, NOW + IDLE - SECOND)
    assert sessions.find(token, NOW + 2 * IDLE - 2 * SECOND)
    assert sessions.find(token, NOW + 4 * IDLE) is None


def test_hip_3_a_session_ends_after_twelve_hours_of_work(
    sessions: SessionStore, ada: Person, her: Actor
) -> None:
    """Activity does not move the absolute end."""
    token = sessions.start(her, ada.id, "password", "Firefox", NOW)
    moment = NOW
    while moment + timedelta(minutes=10) < NOW + ABSOLUTE:
        moment += timedelta(minutes=10)
        assert sessions.find(token, moment)
    assert sessions.find(token, NOW + ABSOLUTE - SECOND)
    assert sessions.find(token, NOW + ABSOLUTE) is None


def test_hip_3_an_open_stream_does_not_keep_a_session_alive(
    sessions: SessionStore, ada: Person, her: Actor
) -> None:
    """Asking without touching moves nothing."""
    token = sessions.start(her, ada.id, "password", "Firefox", NOW)
    for minute in range(15):
        assert sessions.find(token, NOW + timedelta(minutes=minute), touch=False)
    assert sessions.find(token, NOW + IDLE, touch=False) is None


def test_activity_is_written_at_most_once_a_minute(
    sessions: SessionStore, ada: Person, her: Actor
) -> None:
    """A page full of requests is one write."""
    token = sessions.start(her, ada.id, "password", "Firefox", NOW)
    for second in (1, 30, 59):
        sessions.find(token, NOW + second * SECOND)
    assert sessions.sessions_of(ada.id, NOW)[0].seen_at == NOW
    sessions.find(token, NOW + 60 * SECOND)
    assert sessions.sessions_of(ada.id, NOW)[0].seen_at == NOW + 60 * SECOND


def test_the_times_come_from_the_settings(
    record: Record, settings: GovernanceSettings, ada: Person, her: Actor
) -> None:
    """A department may want five minutes."""
    short = SessionStore(record, replace(settings, session_idle_s=300), b"k" * 32)
    token = short.start(her, ada.id, "password", "Firefox", NOW)
    assert short.find(token, NOW + 300 * SECOND) is None


def test_aut_5_signing_in_again_ends_the_browsers_old_session(
    sessions: SessionStore, ada: Person, her: Actor, record: Record
) -> None:
    """A token that was there before the sign-in is worth nothing after it."""
    old = sessions.start(her, ada.id, "password", "Firefox", NOW)
    new = sessions.start(her, ada.id, "password", "Firefox", NOW, replaces=old)
    assert sessions.find(old, NOW) is None
    assert sessions.find(new, NOW)
    planted = sessions.start(her, ada.id, "password", "Firefox", NOW, replaces="planted")
    assert planted != "planted"
    assert acts(record)[1] == ("session.ended", digest_of(old))


def test_aut_5_at_most_five_sessions_the_oldest_ends(
    sessions: SessionStore, ada: Person, her: Actor, record: Record
) -> None:
    """The sixth sign-in ends the first."""
    tokens = [
        sessions.start(her, ada.id, "password", f"Browser {n}", NOW + n * SECOND) for n in range(6)
    ]
    later = NOW + 10 * SECOND
    assert sessions.find(tokens[0], later) is None
    assert all(sessions.find(token, later) for token in tokens[1:])
    clients = [session.client for session in sessions.sessions_of(ada.id, later)]
    assert clients == [f"Browser {n}" for n in (5, 4, 3, 2, 1)]
    assert ("session.ended", digest_of(tokens[0])) in acts(record)


def test_asvs_7_a_session_can_be_ended_by_itself_and_with_all_others(
    sessions: SessionStore, ada: Person, her: Actor, record: Record
) -> None:
    """One, all but the present one, and all; each end is recorded."""
    one, two, three = (sessions.start(her, ada.id, "password", "B", NOW) for _ in range(3))
    sessions.end(her, digest_of(one))
    assert sessions.find(one, NOW) is None
    with pytest.raises(NotFound):
        sessions.end(her, digest_of(one))
    assert sessions.end_all(her, ada.id, keep_session=digest_of(two)) == 1
    assert sessions.find(two, NOW)
    assert sessions.find(three, NOW) is None
    assert sessions.end_all(SYSTEM, ada.id) == 1
    assert sessions.sessions_of(ada.id, NOW) == ()
    assert [action for action, _ in acts(record)].count("session.ended") == 3


def test_ending_ones_sessions_leaves_those_of_others(
    sessions: SessionStore, people: PeopleStore, ada: Person, her: Actor
) -> None:
    """Neither end_all nor the limit reaches over to somebody else."""
    grace = people.create(SYSTEM, "Grace", "grace")
    kept = sessions.start(SYSTEM, grace.id, "password", "B", NOW)
    for _ in range(7):
        sessions.start(her, ada.id, "password", "B", NOW)
    sessions.end_all(her, ada.id)
    assert sessions.find(kept, NOW)


def test_hip_10_who_cannot_come_in_has_no_session(
    sessions: SessionStore, people: PeopleStore, ada: Person, her: Actor
) -> None:
    """Neither an old one nor a new one, for the suspended and for the expired."""
    token = sessions.start(her, ada.id, "password", "B", NOW)
    people.suspend(SYSTEM, ada.id)
    assert sessions.find(token, NOW) is None
    with pytest.raises(SignInRefused):
        sessions.start(her, ada.id, "password", "B", NOW)
    guest = people.create(SYSTEM, "Guest", "guest", expires_at=NOW + 60 * SECOND)
    token = sessions.start(her, guest.id, "password", "B", NOW)
    assert sessions.find(token, NOW + 59 * SECOND)
    assert sessions.find(token, NOW + 60 * SECOND) is None
    with pytest.raises(SignInRefused):
        sessions.start(her, guest.id, "password", "B", NOW + 60 * SECOND)
    with pytest.raises(NotFound):
        sessions.start(her, "nobody", "password", "B", NOW)
    assert sessions.sessions_of(ada.id, NOW) == ()


def test_a_locked_session_opens_again_under_a_new_token(
    sessions: SessionStore, ada: Person, her: Actor, record: Record
) -> None:
    """The token that lay open on the ward is worth nothing afterwards; the end stays."""
    token = sessions.start(her, ada.id, "password", "B", NOW)
    sessions.lock(her, digest_of(token))
    found = sessions.find(token, NOW)
    assert found is not None
    assert found.locked
    fresh = sessions.unlock(her, found.id, NOW + SECOND)
    assert sessions.find(token, NOW + SECOND) is None
    opened = sessions.find(fresh, NOW + SECOND)
    assert opened is not None
    assert not opened.locked
    assert opened.expires_at == found.expires_at
    assert [action for action, _ in acts(record)][1:] == ["session.locked", "session.unlocked"]


def test_a_session_is_not_locked_or_opened_twice(
    sessions: SessionStore, ada: Person, her: Actor, record: Record
) -> None:
    """Nor one that is not there; nothing is recorded."""
    token = sessions.start(her, ada.id, "password", "B", NOW)
    with pytest.raises(IllegalTransition):
        sessions.unlock(her, digest_of(token), NOW)
    sessions.lock(her, digest_of(token))
    before = acts(record)
    with pytest.raises(IllegalTransition):
        sessions.lock(her, digest_of(token))
    with pytest.raises(NotFound):
        sessions.lock(her, "gone")
    with pytest.raises(NotFound):
        sessions.unlock(her, "gone", NOW)
    assert acts(record) == before


def test_the_sweep_takes_only_what_has_ended(
    sessions: SessionStore, ada: Person, her: Actor, record: Record
) -> None:
    """Idle ones and those past their end go, with an event; the rest stays."""
    old = sessions.start(her, ada.id, "password", "B", NOW)
    new = sessions.start(her, ada.id, "password", "B", NOW + IDLE)
    assert sessions.sweep(NOW) == 0
    assert sessions.sweep(NOW + IDLE) == 1
    assert sessions.find(new, NOW + IDLE)
    assert acts(record)[-1] == ("session.ended", digest_of(old))


def test_a_csrf_token_belongs_to_its_session(
    sessions: SessionStore, record: Record, settings: GovernanceSettings
) -> None:
    """The same for one session, another for each other session and each other key."""
    assert sessions.csrf_token("a") == sessions.csrf_token("a")
    assert sessions.csrf_token("a") != sessions.csrf_token("b")
    other = SessionStore(record, settings, b"x" * 32)
    assert sessions.csrf_token("a") != other.csrf_token("a")


def test_the_browsers_words_are_made_fit_to_show() -> None:
    """Printable, short, and never empty."""
    assert client_text("Mozilla/5.0\r\n\x00 (X11)") == "Mozilla/5.0 (X11)"
    assert len(client_text("x" * 100_000)) == 120
    assert client_text("\x07") == "unknown"
