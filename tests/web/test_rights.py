"""`/rights`: what a person can see, and why."""

from web.testing import Site


def test_every_permission_is_shown_with_its_reason(site: Site) -> None:
    """What staff may do, and what no role of theirs allows."""
    path = f"/rights?person={site.people['staff']}&department=Pharmacy"
    with site.client("administrator") as client:
        text = client.get(path).text
    assert "The role staff in this department allows it." in text
    assert "No role of this person allows it here." in text
    assert "Load documents" in text


def test_a_search_shows_the_titles_that_the_person_would_find(site: Site) -> None:
    """Titles only; nothing for somebody without a role there."""
    with site.client("administrator") as client:
        found = client.get(f"/rights?person={site.people['staff']}&department=Pharmacy&q=vial").text
        none = client.get(f"/rights?person={site.people['nobody']}&department=Pharmacy&q=vial").text
    assert "Multi-dose vials" in found
    assert "28 days" not in found
    assert "None in Pharmacy" in none


def test_az_1_a_suspended_person_can_see_nothing(site: Site) -> None:
    """The reason is the suspension, not the role."""
    person = site.people["approver"]
    with site.client("administrator") as client:
        client.post(f"/people/{person}/suspend")
        text = client.get(f"/rights?person={person}&department=Pharmacy").text
        client.post(f"/people/{person}/restore")
    assert "The account is suspended." in text
    assert "allows it." not in text.replace("allows it here", "")


def test_az_2_other_departments_and_their_people_are_not_offered(site: Site) -> None:
    """An auditor of Pharmacy chooses neither Catering nor its people."""
    with site.client("auditor") as client:
        text = client.get("/rights").text
        assert client.get(f"/rights?person={site.people['outsider']}").status_code == 404
        asked = client.get(f"/rights?person={site.people['staff']}&department=Catering&q=menu")
    assert "Catering" not in text
    assert "Menus" not in asked.text


def test_staff_explain_nobodys_rights(site: Site) -> None:
    """The page is for those who manage or audit."""
    with site.client("staff") as client:
        assert client.get("/rights").status_code == 403
