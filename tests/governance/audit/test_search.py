"""The search finds what a plain look at every event finds, in the right order (AUD-14)."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from governance.audit.export import Profile, export
from governance.audit.log import AuditLog
from governance.audit.search import Filter, Found, search
from governance.audit.testing import Trail
from governance.audit.verdict import Code
from governance.events import Action, Actor, Event
from governance.record.database import Record

START = datetime(2026, 5, 12, 8, tzinfo=UTC)
PEOPLE = [Actor("https://idp.example", name, "oidc") for name in ("anna", "ben", "cleo")]
WARDS = ["icu", "lab", None]
ACTIONS = [Action.DOCUMENT_READ, Action.QUESTION_ASKED, Action.SESSION_STARTED]


@pytest.fixture
def busy(record: Record) -> list[Found]:
    """300 events of three people in three places, while the clock is set back four times."""
    chance = random.Random(14)
    now = START
    log = AuditLog(lambda: now)
    with record.write() as connection:
        for number in range(300):
            now += timedelta(seconds=chance.randrange(3))
            if number % 60 == 59:
                now -= timedelta(seconds=chance.randrange(20, 90))
            log.append(
                connection,
                Event(
                    chance.choice(ACTIONS),
                    chance.choice(PEOPLE),
                    chance.choice(WARDS),
                    "document",
                    f"document-{chance.randrange(5)}",
                    facts={"individual": f"p{number}"} if number % 2 else {},
                ),
            )
        return list(search(connection, Filter(), None, limit=500))


def looked_at(
    every: list[Found], wanted: Filter, departments: tuple[str, ...] | None
) -> list[Found]:
    return [
        one
        for one in every
        if wanted.actor_id in (None, one.actor_id)
        and wanted.action in (None, one.action)
        and wanted.object_id in (None, one.object_id)
        and (wanted.since is None or one.at >= wanted.since)
        and (wanted.until is None or one.at < wanted.until)
        and (departments is None or one.department_id in departments)
    ]


def test_aud_14_the_search_finds_what_a_look_at_every_event_finds(
    record: Record, busy: list[Found]
) -> None:
    """400 random filters: the same events, newest first, a page at a time."""
    chance = random.Random(41)
    assert [one.seq for one in busy] == sorted((one.seq for one in busy), reverse=True)
    assert len(busy) > 300
    with record.read() as connection:
        for _ in range(400):
            since = START + timedelta(seconds=chance.randrange(-10, 320))
            wanted = Filter(
                chance.choice([None, *(person.id for person in PEOPLE)]),
                chance.choice([None, None, *ACTIONS]),
                chance.choice([None, None, "document-1", "document-9"]),
                chance.choice([None, since]),
                chance.choice([None, since + timedelta(seconds=chance.randrange(120))]),
            )
            departments = chance.choice([None, (), ("icu",), ("icu", "lab"), ("none",)])
            expected = looked_at(busy, wanted, departments)
            first = search(connection, wanted, departments, limit=7)
            assert list(first) == expected[:7]
            if first:
                page = search(connection, wanted, departments, before=first[-1].seq, limit=7)
                assert list(page) == expected[7:14]


def test_aud_14_departments_must_be_named(record: Record) -> None:
    """Nobody forgets the filter: there is no default."""
    with record.read() as connection, pytest.raises(TypeError):
        search(connection, Filter())  # type: ignore[call-arg]


def test_aud_14_an_empty_trail_has_nothing(record: Record) -> None:
    """Neither an error nor a row."""
    with record.read() as connection:
        assert search(connection, Filter(since=START), None) == ()


def test_a_page_is_no_longer_than_it_may_be(trail: Trail) -> None:
    """Whoever asks for a million events gets one page."""
    trail.append(600)
    with trail.record.read() as connection:
        assert len(search(connection, Filter(), None, limit=1_000_000)) == 500
    assert trail.verify().code is Code.OK


def test_an_export_is_the_trail_line_by_line(record: Record, busy: list[Found]) -> None:
    """Oldest first, each line the very text that was signed; or of one's departments alone."""
    with record.read() as connection:
        lines = list(export(connection, Profile.FULL, None))
        mine = list(export(connection, Profile.FULL, ("icu",)))
    assert len(lines) == len(busy)
    assert '"seq":0,' in lines[0]
    assert len(mine) == sum(one.department_id == "icu" for one in busy)
    assert all('"tenant":"icu"' in line for line in mine)


def test_can_1_the_phipa_export_has_five_columns(record: Record, busy: list[Found]) -> None:
    """Kind of information, when, who, what they did, and about whom where that is known."""
    with record.read() as connection:
        lines = [json.loads(line) for line in export(connection, Profile.PHIPA, None)]
    touched = ("document.read", "question.asked")
    assert len(lines) == sum(one.action in touched for one in busy)
    for line in lines:
        assert list(line) == ["information_type", "date_time", "person", "act", "individual"]
        assert line["person"] in {person.id for person in PEOPLE}
    assert {line["individual"] is None for line in lines} == {True, False}
