"""The pages of people: what each caller sees, and what they may do there."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
from starlette.testclient import TestClient

from governance.events import SYSTEM
from governance.grants import GrantKind
from governance.limits import Limit, Period
from governance.permissions import Permission, Role
from web.app import create_app
from web.session_cookie import PLAIN_NAME
from web.testing import Site


def add(client: httpx.Client, username: str, **fields: str) -> httpx.Response:
    """Add a person by the form."""
    return client.post("/people", data={"name": f"New {username}", "username": username, **fields})


def test_az_1_an_administrator_sees_everybody_and_a_manager_their_department(site: Site) -> None:
    """Whoever has no role in one's departments is not in the list."""
    with site.client("administrator") as client:
        assert "Outsider Person" in client.get("/people").text
    with site.client("manager") as client:
        text = client.get("/people").text
    assert "Staff Person" in text
    assert "Outsider Person" not in text


def test_az_1_a_person_of_another_department_is_not_there(site: Site) -> None:
    """The page says 404, as for somebody who does not exist."""
    with site.client("manager") as client:
        assert client.get(f"/people/{site.people['outsider']}").status_code == 404
        assert client.get("/people/nobody").status_code == 404


def test_a_new_person_gets_a_link_that_only_its_maker_sees(site: Site) -> None:
    """The one-time link leads to the form for a password."""
    with site.client("administrator") as client:
        answer = add(client, "ada", role="editor", department="Pharmacy")
        assert answer.status_code == 303
        shown = client.get(answer.headers["location"]).text
    link = re.search(r"/set-password/[\w-]+", shown)
    assert link is not None
    with httpx.Client(base_url=site.url) as stranger:
        assert "password" in stranger.get(link[0]).text
    with site.client("manager") as other:
        assert link[0] not in other.get(answer.headers["location"]).text
    person = site.platform.people.by_username("ada")
    assert person is not None
    assert [held.role for held in person.grants] == [Role.EDITOR]


def test_a_form_that_misses_something_says_where(site: Site) -> None:
    """Nobody is added, and the page points to the field."""
    before = len(site.platform.people.people())
    with site.client("administrator") as client:
        assert "Enter a name" in client.post("/people", data={"username": "x"}).text
        assert 'href="#department"' in add(client, "bob", role="editor").text
        assert 'href="#username"' in add(client, "not good").text
        wrong = {"until-day": "31", "until-month": "2", "until-year": "2030"}
        assert "no date" in add(client, "bob", role="staff", department="Pharmacy", **wrong).text
    assert len(site.platform.people.people()) == before


def test_az_1_a_manager_gives_roles_in_their_department_only(site: Site) -> None:
    """Neither another department nor the whole platform; the refusal is recorded."""
    path = f"/people/{site.people['staff']}/roles"
    with site.client("manager") as client:
        for fields in (
            {"role": "editor", "department": "Catering"},
            {"role": "administrator"},
            {"role": "staff", "department": "everywhere"},
        ):
            assert client.post(path, data=fields).status_code == 403
        assert client.post("/people", data={"name": "C", "username": "c"}).status_code == 403
    person = site.platform.people.person(site.people["staff"])
    standing = [held.role for held in person.grants if held.kind is GrantKind.STANDING]
    assert standing == [Role.STAFF]


def test_nobody_gives_themselves_a_role(site: Site) -> None:
    """The page says so, and nothing changes."""
    path = f"/people/{site.people['manager']}/roles"
    with site.client("manager") as client:
        answer = client.post(path, data={"role": "auditor", "department": "Pharmacy"})
    assert answer.status_code == 403
    assert "Nobody gives themselves a role" in answer.text


def test_a_role_is_given_until_a_day_and_withdrawn(site: Site) -> None:
    """It ends when that day is over; withdrawing ends it at once."""
    nobody = site.people["nobody"]
    until = {"until-day": "31", "until-month": "12", "until-year": "2030"}
    with site.client("manager") as client:
        wanted = {"role": "staff", "department": "Pharmacy", **until}
        assert client.post(f"/people/{nobody}/roles", data=wanted).status_code == 303
        held = site.platform.people.person(nobody).grants[0]
        assert "31 December 2030" in client.get(f"/people/{nobody}").text
        done = client.post(f"/people/{nobody}/roles/{held.id}/withdraw")
        assert done.status_code == 303
    assert site.platform.people.person(nobody).grants == ()


def test_owu_1_suspending_ends_sessions_and_restoring_lets_in_again(site: Site) -> None:
    """The confirm page comes first; the suspended person is out with the next request."""
    person = site.platform.people.create(SYSTEM, "Eve Temp", "eve")
    place = site.platform.policies.department("Pharmacy").id
    site.platform.people.grant(SYSTEM, person.id, Role.STAFF, place)
    site.people["eve"] = person.id  # type: ignore[index]
    with site.client("eve") as eve, site.client("manager") as manager:
        assert eve.get("/search").status_code == 200
        assert "Suspend Eve Temp?" in manager.get(f"/people/{person.id}/suspend").text
        assert manager.post(f"/people/{person.id}/suspend").status_code == 303
        assert eve.get("/search").status_code != 200
        assert manager.post(f"/people/{person.id}/restore").status_code == 303
    with site.client("eve") as eve:
        assert eve.get("/search").status_code == 200


def test_an_administrator_is_not_a_managers_to_suspend(site: Site) -> None:
    """Nor is a link to their password."""
    administrator = site.people["administrator"]
    with site.client("manager") as client:
        for act in ("suspend", "link", "restore"):
            assert client.post(f"/people/{administrator}/{act}").status_code in (403, 404)
    assert site.platform.people.person(administrator).is_usable(site.clock())


def test_a_key_is_revoked_on_its_owners_page(site: Site) -> None:
    """After that it opens nothing."""
    key = site.key("editor", [Permission.POLICIES_SEARCH])
    key_id = key.split("_")[1]
    headers = {"Authorization": f"Bearer {key}"}
    with site.client("manager") as client:
        path = f"/people/{site.people['editor']}/keys/{key_id}/revoke"
        assert client.post(path).status_code == 303
    assert site.platform.keys.principal_of(key, site.clock() + timedelta(0)) is None
    assert httpx.get(f"{site.url}/api/v1/documents", headers=headers).status_code == 401


def set_limit(client: httpx.Client, person_id: str, **fields: str) -> httpx.Response:
    """Set a limit for this person by the form of their page."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return client.post(f"/people/{person_id}/limits", data=named)


def limits_of(site: Site, person_id: str) -> list[Limit]:
    """The limits of this person alone."""
    return [one for one in site.platform.quotas.limits() if one.person_id == person_id]


def test_qta_1_a_limit_for_one_person_is_set_shown_and_removed(site: Site) -> None:
    """In one department or everywhere; empty numbers remove it."""
    who = site.people["approver"]
    where = site.platform.policies.department("Pharmacy").id
    with site.client("administrator") as client:
        wanted = {"period": "month", "requests": "1,500", "tokens": ""}
        answer = set_limit(client, who, limit_department="Pharmacy", **wanted)
        assert answer.headers["location"] == f"/people/{who}?done=limit"
        assert limits_of(site, who) == [Limit(where, who, False, Period.MONTH, 1500, None)]
        assert "1,500" in client.get(f"/people/{who}").text
        assert "1,500" in client.get(f"/departments/{where}").text
        set_limit(client, who, limit_department="everywhere", period="day", tokens="0")
        assert Limit(None, who, False, Period.DAY, None, 0) in limits_of(site, who)
        for place, period in (("Pharmacy", "month"), ("everywhere", "day")):
            assert set_limit(client, who, limit_department=place, period=period).status_code == 303
    assert limits_of(site, who) == []


def test_qta_1_a_limit_that_means_nothing_is_refused_at_its_field(site: Site) -> None:
    """The page names the field and opens the form; nothing is set."""
    who, right = site.people["approver"], {"limit_department": "Pharmacy", "period": "day"}
    wrong: dict[str, dict[str, str]] = {
        "limit-department": {**right, "limit_department": ""},
        "period": {**right, "period": "year"},
        "requests": {**right, "requests": "9999999999"},
        "tokens": {**right, "tokens": "many"},
    }
    with site.client("administrator") as client:
        for field, fields in wrong.items():
            answer = set_limit(client, who, **fields)
            assert (answer.status_code, f'href="#{field}"' in answer.text) == (422, True)
            assert re.search(
                r"<details[^>]* open>\s*<summary[^>]*><span[^>]*>Set a limit", answer.text
            )
    assert limits_of(site, who) == []


def test_qta_1_a_manager_limits_people_in_their_department_only(site: Site) -> None:
    """Not in another one, not everywhere, and nobody whom they do not see."""
    who, right = site.people["staff"], {"limit_department": "Pharmacy", "period": "day"}
    with site.client("manager") as client:
        shown = client.get(f"/people/{who}").text
        assert 'value="everywhere"' not in shown.partition('id="limit-department"')[2]
        for place, status in (("Catering", 404), ("everywhere", 403)):
            fields = {**right, "limit_department": place, "requests": "1"}
            assert set_limit(client, who, **fields).status_code == status
        outsider = set_limit(client, site.people["outsider"], **right, requests="1")
        assert outsider.status_code == 404
        assert limits_of(site, who) == limits_of(site, site.people["outsider"]) == []
        assert set_limit(client, who, **right, requests="5").status_code == 303
        assert set_limit(client, who, **right).status_code == 303


def test_qta_1_whoever_sets_no_limits_sees_no_form_and_is_refused(site: Site) -> None:
    """An auditor sees people and not their limits; a form without its token is refused."""
    who = site.people["staff"]
    with site.client("auditor") as client:
        assert "Set a limit" not in client.get(f"/people/{who}").text
        refused = set_limit(client, who, limit_department="Pharmacy", period="day", requests="1")
        assert refused.status_code == 403
    with site.client("administrator") as client:
        del client.headers["X-CSRF-Token"]
        refused = set_limit(client, who, limit_department="Pharmacy", period="day", requests="1")
        assert refused.status_code == 403
    assert limits_of(site, who) == []


def test_a_person_with_a_certificate_is_added_without_a_link(site: Site) -> None:
    """The user name is the name in the certificate, as it stands there."""
    subject = "Berta.Nurse@hospital.example"
    with site.client("administrator") as client:
        way = {"sign-in": "certificate", "role": "staff", "department": "Pharmacy"}
        answer = add(client, subject, **way)
        assert answer.headers["location"].endswith("?done=certified")
        shown = client.get(answer.headers["location"]).text
        assert "with a client certificate" in shown
        assert "/set-password/" not in shown
        assert "already" in add(client, subject, **way).text
        assert 'href="#sign-in"' in add(client, "carla", **{"sign-in": "retina"}).text
    person = site.platform.people.by_identity("mtls", subject)
    assert person is not None
    assert [held.role for held in person.grants] == [Role.STAFF]


def test_without_an_authority_nobody_is_added_with_a_certificate(site: Site) -> None:
    """The form does not offer what could not work."""
    settings = replace(site.platform.settings, client_ca=None)
    app = create_app(replace(site.platform, settings=settings))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        client.cookies.set(PLAIN_NAME, site.session("administrator"))
        text = client.get("/people/new").text
    assert "You get a link to hand on" in text
    assert "certificate" not in text
