"""The walls of the departments: what is behind another's is not there, however it is named."""

from random import Random

import httpx
import pytest

from web.testing import Site
from web.testing_rows import ROWS, ask, is_json, named

FOREIGN = tuple(row for row in ROWS if "{document_id}" in row[1])


@pytest.mark.parametrize("row", FOREIGN, ids=named)
def test_own_1_a_document_of_another_department_is_not_there(
    site: Site, client: httpx.Client, row: tuple[str, str]
) -> None:
    """Not forbidden but missing: word for word as if it had never been."""
    foreign = ask(client, row, site, site.foreign)
    nowhere = ask(client, row, site)
    assert (foreign.status_code, nowhere.status_code) == (404, 404)
    if is_json(row[1]):
        assert foreign.json() == nowhere.json()


def test_own_2_reading_is_not_removing(site: Site, staff: httpx.Client) -> None:
    """Who may read a document hears that they may not remove it, and it stays."""
    path = f"/api/v1/documents/{site.vials}"
    assert staff.get(path).status_code == 200
    assert staff.delete(path).status_code == 403
    assert staff.post(f"/documents/{site.vials}/delete").status_code == 403
    assert staff.get(path).status_code == 200


def test_own_1_jobs_and_lists_are_those_of_the_own_departments(
    site: Site, client: httpx.Client
) -> None:
    """A job of another department is not there, and no list names it."""
    foreign = site.platform.jobs.recent("Catering")[0].job_id
    assert client.get(f"/api/v1/jobs/{foreign}").status_code == 404
    assert client.post(f"/documents/jobs/{foreign}/forget").status_code == 404
    names = {job["department"] for job in client.get("/api/v1/jobs?limit=1000").json()["jobs"]}
    assert names == {"Pharmacy"}
    for path in ("/api/v1/documents", "/documents", "/api/v1/departments", "/v1/models", "/"):
        assert "Catering" not in client.get(path).text, path
        assert "Menus" not in client.get(path).text, path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/ask", {"question": "When do menus change?", "department": "Catering"}),
        ("/api/v1/search", {"query": "menus", "department": "Catering"}),
        (
            "/v1/chat/completions",
            {"model": "policies:Catering", "messages": [{"role": "user", "content": "menus"}]},
        ),
    ],
)
def test_llm_08_another_department_is_not_searched(
    client: httpx.Client, path: str, body: dict[str, object]
) -> None:
    """Its name in a request opens nothing: it is unknown to who has no right there."""
    answer = client.post(path, json=body)
    assert answer.status_code == 404
    assert "Menus" not in answer.text


def test_llm_08_every_search_of_the_assistant_is_for_an_own_department(
    site: Site, client: httpx.Client
) -> None:
    """The pages take the department from the caller, whatever the form says."""
    assert client.post("/ask", data={"question": "x", "department": "Catering"}).status_code == 404
    page = client.get("/search", params={"q": "menus", "department": "Catering"}).text
    assert "Allergens" not in page
    assert "Multi-dose vials" in page
    asker = site.assistant.askers[-1]
    assert asker.person == site.people["editor"]


def test_llm_08_no_form_of_a_name_leads_into_another_department(
    site: Site, client: httpx.Client
) -> None:
    """300 of them, in case, blanks, wildcards, quotes and other alphabets (seed 7)."""
    chance = Random(7)
    parts = ("Catering", "catering", "CATERING", "Pharmacy", " ", "%", "*", "'", '"', "\\", "/")
    parts += ("..", "\x00", ",", " OR 1=1", "\u0421atering", "\u200b", ":", "|", "null", "[]")
    for _ in range(300):
        name = "".join(chance.choices(parts, k=chance.randint(1, 3)))
        answer = client.post("/api/v1/search", json={"query": "menus", "department": name})
        if answer.status_code == 200:
            found = {one["department"] for one in answer.json()["passages"]}
            assert found <= {"Pharmacy"}, name
        else:
            assert answer.status_code == 404, name
            assert "Allergens" not in answer.text
