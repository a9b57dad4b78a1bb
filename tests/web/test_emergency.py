"""`/emergency`: break-glass, from the form to its end."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from governance.events import SYSTEM, Actor
from governance.permissions import Role
from web.testing import Site

GOOD = {"department": "Catering", "role": "staff", "minutes": "15", "reason": "Allergy, nobody in"}


@pytest.fixture
def nurse(site: Site) -> Iterator[httpx.Client]:
    """A client with the session of somebody new of the staff of Pharmacy."""
    people = site.platform.people
    known = people.by_username("nurse") or people.create(SYSTEM, "Nurse Person", "nurse")
    if not known.grants:
        place = site.platform.policies.department("Pharmacy").id
        people.grant(SYSTEM, known.id, Role.STAFF, place)
    site.people["nurse"] = known.id  # type: ignore[index]
    with site.client("nurse") as client:
        yield client


def test_hip_2_access_starts_at_once_and_stands_on_every_page(nurse: httpx.Client) -> None:
    """Before: nothing of the department. After: its search, and the time left above it."""
    assert "Catering" not in nurse.get("/search").text
    assert nurse.post("/emergency", data=GOOD).status_code == 303
    text = nurse.get("/search").text
    assert "Emergency access" in text
    assert "15 minutes left" in text
    assert "Catering" in text
    end = text.split('action="/emergency/')[1].split('"')[0]
    assert nurse.post(f"/emergency/{end}").status_code == 303
    assert "minutes left" not in nurse.get("/search").text
    assert "Catering" not in nurse.get("/search").text


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", "short"), ("reason", ""), ("minutes", "61"), ("minutes", ""), ("department", "X")],
)
def test_hip_2_without_a_reason_or_beyond_an_hour_nothing_starts(
    site: Site, nurse: httpx.Client, field: str, value: str
) -> None:
    """The page points to the field, and no role is given."""
    before = site.platform.people.person(site.people["nurse"]).grants
    answer = nurse.post("/emergency", data={**GOOD, field: value})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert site.platform.people.person(site.people["nurse"]).grants == before


def test_hip_2_only_staff_and_editor_can_be_taken(site: Site, nurse: httpx.Client) -> None:
    """Whoever writes another role into the form is refused."""
    before = site.platform.people.person(site.people["nurse"]).grants
    for role in ("auditor", "administrator", "department_administrator", ""):
        assert nurse.post("/emergency", data={**GOOD, "role": role}).status_code == 422
    assert site.platform.people.person(site.people["nurse"]).grants == before


def test_hip_2_it_ends_by_itself(site: Site, nurse: httpx.Client) -> None:
    """To the second: after the minutes that were asked for the banner and the right are gone."""
    site.clock.ahead -= timedelta(minutes=15)
    place = site.platform.policies.create_department(SYSTEM, "Theatre").id
    try:
        person = site.people["nurse"]
        mine = Actor("local", "nurse", "password", person)
        site.platform.emergencies.start(mine, person, place, Role.STAFF, GOOD["reason"], 15)
    finally:
        site.clock.ahead += timedelta(minutes=15)
    text = nurse.get("/search").text
    assert "minutes left" not in text
    assert "Theatre" not in text


def test_hip_2_a_key_takes_no_emergency(site: Site) -> None:
    """A program has no emergencies, whatever its scopes are."""
    headers = {"Authorization": f"Bearer {site.key('staff')}"}
    answer = httpx.post(f"{site.url}/emergency", data=GOOD, headers=headers)
    assert answer.status_code == 403


def test_hip_2_nobody_ends_anothers_emergency(site: Site, nurse: httpx.Client) -> None:
    """The address of somebody else's is as good as none."""
    nurse.post("/emergency", data=GOOD)
    text = nurse.get("/help").text + nurse.get("/search").text
    end = text.split('action="/emergency/')[1].split('"')[0]
    with site.client("editor") as client:
        client.post(f"/emergency/{end}")
    assert "minutes left" in nurse.get("/search").text
    nurse.post(f"/emergency/{end}")
