"""The very first start: a link, an administrator, and nothing before that."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.passwords import PasswordStore
from governance.people import PeopleStore
from governance.permissions import Role
from governance.policies import PolicyStore
from governance.record.database import open_record
from governance.sessions import SessionStore
from governance.throttle import Throttle
from governance.tickets import TicketStore
from web.app import create_app
from web.parts import Platform
from web.testing import Site

PASSWORD = "harbour lantern violet tram"
FIELDS = {"name": "Ada Admin", "username": "ada", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def empty(site: Site, tmp_path: Path) -> Iterator[Platform]:
    """A platform whose record holds nobody."""
    settings = GovernanceSettings(tmp_path / "data", argon2_memory_kib=64, argon2_rounds=1)
    record, key = open_record(settings), b"k" * 32
    people, passwords = PeopleStore(record), PasswordStore(record, settings)
    yield replace(
        site.platform,
        record=record,
        people=people,
        policies=PolicyStore(record, settings),
        sessions=SessionStore(record, settings, key),
        tickets=TicketStore(record, people, passwords, Throttle(record, key)),
    )
    record.close()


def test_asvs_6_3_the_first_administrator_comes_by_a_link_that_works_once(
    empty: Platform,
) -> None:
    """There is no default account; afterwards the link is worth nothing."""
    path = f"/welcome/{empty.tickets.issue_administrator(SYSTEM)}"
    with TestClient(
        create_app(empty), base_url="http://127.0.0.1", follow_redirects=False
    ) as client:
        assert "Become the first administrator" in client.get(path).text
        for fault, words in (
            ({"again": "other"}, "not the same"),
            ({"username": "Ü"}, "cannot be a username"),
            ({"name": ""}, "cannot be a person&#39;s name"),
            ({"password": "a" * 15, "again": "a" * 15}, "repeats itself"),
        ):
            refused = client.post(path, data={**FIELDS, **fault})
            assert refused.status_code == 422
            assert words in refused.text
            assert PASSWORD not in refused.text
        assert empty.people.people() == ()
        done = client.post(path, data=FIELDS)
        assert (done.status_code, done.headers["Location"]) == (303, "/")
        assert "Ada Admin" in client.get("/account").text
        assert client.get("/documents").status_code == 200
        assert client.post(path, data=FIELDS).status_code == 410
    grants = empty.people.people()[0].grants
    assert [one.role for one in grants] == [Role.ADMINISTRATOR]
