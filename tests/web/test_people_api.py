"""`/api/v1/people`, `/keys`, `/usage`, `/audit`: the same decisions as on the pages, as JSON."""

from datetime import timedelta

import httpx

from governance.audit.note import parse_proof
from governance.events import SYSTEM
from governance.limits import Limit, Period
from governance.permissions import Permission, Role
from web.testing import Site

PEOPLE = "/api/v1/people"


def test_a_person_is_added_with_a_role_and_a_link(owner: httpx.Client, site: Site) -> None:
    """Over the owner's socket the link leads to the address that the settings name."""
    body = {"name": "Fay", "username": "fay", "role": "editor", "department": "Pharmacy"}
    made = owner.post(PEOPLE, json=body)
    assert made.status_code == 201
    told = made.json()
    assert told["link"].startswith("http://127.0.0.1:8080/set-password/")
    assert [(one["role"], one["department"]) for one in told["grants"]] == [("editor", "Pharmacy")]
    [found] = owner.get(PEOPLE, params={"username": "fay"}).json()["people"]
    assert found["id"] == told["id"]
    assert "link" not in found
    assert owner.post(PEOPLE, json=body).status_code == 409
    assert site.platform.people.by_username("fay") is not None


def test_aut_2_a_person_with_a_certificate_is_added_without_a_link(
    owner: httpx.Client, site: Site
) -> None:
    """The subject of the certificate is who they are; there is no password to set."""
    body = {"name": "Gil", "username": "gil@ward.example", "certificate": True}
    made = owner.post(PEOPLE, json=body | {"role": "staff", "department": "Pharmacy"})
    assert made.status_code == 201
    assert made.json()["link"] is None
    assert site.platform.people.by_identity("mtls", "gil@ward.example") is not None
    assert site.platform.people.by_username("gil@ward.example") is None
    with site.client("manager") as client:
        elsewhere = body | {"username": "h@ward.example", "role": "staff", "department": "Catering"}
        assert client.post(PEOPLE, json=elsewhere).status_code in (403, 404)
    assert site.platform.people.by_identity("mtls", "h@ward.example") is None


def test_unknown_fields_are_refused_by_name(owner: httpx.Client) -> None:
    """In every request that takes a body."""
    for path, body in (
        (PEOPLE, {"name": "G", "username": "g", "admin": True}),
        (f"{PEOPLE}/x/grants", {"role": "staff", "admin": True}),
        (f"{PEOPLE}/x/suspend", {"admin": True}),
        ("/api/v1/keys", {"name": "k", "admin": True}),
        ("/api/v1/audit/verify", {"admin": True}),
    ):
        answer = owner.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (422, "unknown_field")
        assert "admin" in answer.json()["error"]["message"]


def test_a_role_is_given_and_withdrawn(owner: httpx.Client, site: Site) -> None:
    """An administrator is one everywhere; a role in no place that exists is refused."""
    path = f"{PEOPLE}/{site.people['nobody']}/grants"
    held = owner.post(path, json={"role": "auditor", "department": "Catering"})
    assert held.status_code == 201
    assert owner.post(path, json={"role": "staff", "department": "None"}).status_code == 404
    assert owner.post(path, json={"role": "department_administrator"}).status_code == 403
    ended = owner.delete(f"{path}/{held.json()['id']}")
    assert ended.json()["state"] == "withdrawn"
    assert owner.delete(f"{path}/{held.json()['id']}").status_code == 404
    assert site.platform.people.person(site.people["nobody"]).grants == ()


def test_a_person_is_suspended_and_restored(owner: httpx.Client, site: Site) -> None:
    """Twice is a conflict; a suspended person gets no link."""
    path = f"{PEOPLE}/{site.people['approver']}"
    assert owner.post(f"{path}/suspend").json()["state"] == "suspended"
    assert owner.post(f"{path}/suspend").status_code == 409
    assert owner.post(f"{path}/ticket").status_code == 409
    assert owner.post(f"{path}/restore", json={}).json()["state"] == "active"
    assert owner.post(f"{path}/ticket").status_code == 201


def test_az_1_a_manager_reaches_no_other_department(site: Site) -> None:
    """Not there to see, not there to change."""
    outsider = site.people["outsider"]
    with site.client("manager") as client:
        names = [one["username"] for one in client.get(PEOPLE).json()["people"]]
        assert "staff" in names
        assert "outsider" not in names
        assert client.get(PEOPLE, params={"department": "Catering"}).status_code == 404
        assert client.post(f"{PEOPLE}/{outsider}/suspend").status_code == 404
        assert client.post(f"{PEOPLE}/{outsider}/ticket").status_code == 404
        body = {"role": "staff", "department": "Catering"}
        assert client.post(f"{PEOPLE}/{outsider}/grants", json=body).status_code == 404
    assert site.platform.people.person(outsider).is_usable(site.clock())


def test_a_program_gets_an_account_of_its_own(owner: httpx.Client, site: Site) -> None:
    """Staff in one department unless said otherwise; the key is in the first answer alone."""
    made = owner.post("/api/v1/keys", json={"name": "Ward board", "department": "Pharmacy"})
    assert made.status_code == 201
    told = made.json()
    headers = {"Authorization": f"Bearer {told['key']}"}
    assert httpx.get(f"{site.url}/api/v1/documents", headers=headers).status_code == 200
    assert httpx.get(f"{site.url}{PEOPLE}", headers=headers).status_code == 403
    listed = owner.get("/api/v1/keys", params={"person": told["person"]}).json()["keys"]
    assert [(one["id"], "key" in one) for one in listed] == [(told["id"], False)]
    assert owner.delete(f"/api/v1/keys/{told['id']}").json()["state"] == "revoked"
    assert httpx.get(f"{site.url}/api/v1/documents", headers=headers).status_code == 401


def test_a_key_never_has_more_than_its_owner(site: Site, owner: httpx.Client) -> None:
    """Nor can one be made for somebody else, or by another key."""
    with site.client("staff") as client:
        more = {"name": "k", "scopes": [Permission.DOCUMENTS_DELETE]}
        assert client.post("/api/v1/keys", json=more).status_code == 422
        other = {"name": "k", "person": "editor"}
        assert client.post("/api/v1/keys", json=other).status_code == 403
        mine = client.post("/api/v1/keys", json={"name": "k", "department": "Pharmacy"})
        assert mine.status_code == 201
    again = owner.post("/api/v1/keys", json={"name": "k", "role": "administrator"})
    assert again.status_code == 422
    headers = {"Authorization": f"Bearer {site.key('staff')}"}
    made = httpx.post(f"{site.url}/api/v1/keys", json={"name": "k"}, headers=headers)
    assert made.status_code == 403


def test_a_person_whose_first_role_is_refused_is_not_added(site: Site) -> None:
    """Nobody without a role is left behind, and the name is free."""
    ended = (site.clock() - timedelta(days=1)).isoformat()
    body = {"name": "Ned", "username": "ned", "role": "staff", "department": "Pharmacy"}
    with site.client("manager") as client:
        assert client.post(PEOPLE, json=body | {"until": ended}).status_code == 422
        assert site.platform.people.by_username("ned") is None
        assert client.post(PEOPLE, json=body).status_code == 201


def test_keys_of_others_are_shown_to_who_manages_them(site: Site, owner: httpx.Client) -> None:
    """Staff learn nothing of an administrator, not even that there is one of this name."""
    body = {"name": "Night job", "person": "administrator"}
    assert owner.post("/api/v1/keys", json=body).status_code == 201
    for wanted, told in (("administrator", 404), ("nobody", 404), ("staff", 200)):
        with site.client("staff") as client:
            assert client.get("/api/v1/keys", params={"person": wanted}).status_code == told
    with site.client("administrator") as client:
        keys = client.get("/api/v1/keys", params={"person": "administrator"}).json()["keys"]
        assert "Night job" in [key["name"] for key in keys]
    with site.client("manager") as client:
        found = client.get("/api/v1/keys", params={"person": "administrator"})
        assert "Night job" not in found.text


def test_usage_shows_what_is_left(site: Site) -> None:
    """Of the limits that cover the caller, and of no other department's."""
    place = site.platform.policies.department("Pharmacy").id
    limit = Limit(place, None, True, Period.MONTH, 70, None)
    site.platform.quotas.set_limit(SYSTEM, limit)
    with site.client("staff") as client:
        found = client.get("/api/v1/usage").json()["limits"]
    with site.client("outsider") as client:
        other = client.get("/api/v1/usage").json()["limits"]
    site.platform.quotas.set_limit(SYSTEM, Limit(place, None, True, Period.MONTH, None, None))
    [ours] = [one for one in found if one["requests"] == 70]
    assert ours["department"] == "Pharmacy"
    assert 0 < ours["requests_left"] <= 70
    assert "Pharmacy" not in [one["department"] for one in other]


def test_the_trail_is_searched_checked_and_proved(owner: httpx.Client, site: Site) -> None:
    """Newest first, a page at a time; the check says what was read; the proof can be parsed."""
    events = owner.get("/api/v1/audit", params={"limit": 3}).json()["events"]
    numbers = [one["seq"] for one in events]
    assert numbers == sorted(numbers, reverse=True)
    more = owner.get("/api/v1/audit", params={"limit": 1, "before": numbers[-1]}).json()["events"]
    assert more[0]["seq"] == numbers[-1] - 1
    checked = owner.post("/api/v1/audit/verify").json()
    assert checked["state"] == "whole"
    assert parse_proof(owner.get(f"/api/v1/audit/{numbers[0]}/proof").text).seq == numbers[0]
    assert owner.get(f"/api/v1/audit/{10**30}/proof").status_code == 404
    assert owner.get("/api/v1/audit", params={"before": 10**30}).status_code == 200
    since = (site.clock() + timedelta(days=1)).isoformat()
    assert owner.get("/api/v1/audit", params={"since": since}).json()["events"] == []


def test_az_2_an_auditor_gets_the_events_of_their_departments(site: Site) -> None:
    """Others are not listed, and their proofs are not there."""
    place = site.platform.policies.department("Pharmacy").id
    with site.client("auditor") as client:
        events = client.get("/api/v1/audit").json()["events"]
        assert {one["event"]["tenant"] for one in events} == {place}
        assert client.get("/api/v1/audit/1/proof").status_code == 404
        refused = client.get("/api/v1/audit", params={"department": "Catering"})
        assert refused.status_code == 404
    with site.client("staff") as client:
        assert client.get("/api/v1/audit").status_code == 403


def test_the_last_administrator_stays(owner: httpx.Client, site: Site) -> None:
    """Neither suspended nor without the role."""
    administrator = site.people["administrator"]
    assert owner.post(f"{PEOPLE}/{administrator}/suspend").status_code == 409
    held = site.platform.people.person(administrator).grants[0]
    assert held.role is Role.ADMINISTRATOR
    assert owner.delete(f"{PEOPLE}/{administrator}/grants/{held.id}").status_code == 409
