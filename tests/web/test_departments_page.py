"""The pages of departments: people, limits, what is kept of questions, legal hold."""

import httpx
import pytest

from governance.events import SYSTEM
from governance.limits import Period
from governance.policies import Department
from governance.retention_rules import RetentionMode
from web.testing import Site


@pytest.fixture
def ward(site: Site) -> Department:
    """A department of this test's own."""
    return site.platform.policies.create_department(SYSTEM, "Ward")


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return client.post(path, data=fields)


def test_a_department_is_created_by_an_administrator_alone(site: Site) -> None:
    """Anybody else is refused, and no department is made."""
    with site.client("administrator") as client:
        assert post(client, "/departments", name="Stroke unit").status_code == 303
        assert post(client, "/departments", name=" ").status_code == 422
        assert "Stroke unit" in client.get("/departments").text
    with site.client("manager") as client:
        assert post(client, "/departments", name="Mine").status_code == 403
    assert "Mine" not in [one.name for one in site.platform.policies.departments()]


def test_az_1_another_department_is_not_there(site: Site) -> None:
    """Its page is not found, and nothing can be set in it."""
    place = site.platform.policies.department("Catering").id
    with site.client("manager") as client:
        assert client.get(f"/departments/{place}").status_code == 404
        limit = post(client, f"/departments/{place}/limits", period="day", requests="1")
        assert limit.status_code == 404
        assert "Catering" not in client.get("/departments").text


def test_a_limit_is_set_shown_and_removed(site: Site, ward: Department) -> None:
    """Empty numbers remove it; letters are refused at their field."""
    path = f"/departments/{ward.id}/limits"
    with site.client("administrator") as client:
        wanted = {"who": "each", "period": "month", "requests": "1,500"}
        assert post(client, path, **wanted).status_code == 303
        [limit] = site.platform.quotas.limits(ward.id)
        assert (limit.each_person, limit.period, limit.requests) == (True, Period.MONTH, 1500)
        assert "1,500" in client.get(f"/departments/{ward.id}").text
        assert 'href="#tokens"' in post(client, path, period="day", tokens="many").text
        assert post(client, path, who="each", period="month").status_code == 303
    assert site.platform.quotas.limits(ward.id) == ()


def test_ret_3_keeping_more_needs_a_second_person(site: Site, ward: Department) -> None:
    """The proposer cannot agree; another person can, and then it holds."""
    path = f"/departments/{ward.id}/retention"
    with site.client("administrator") as client:
        assert post(client, path, mode="full", days="30").status_code == 303
        page = client.get(f"/departments/{ward.id}").text
        assert "You proposed it, so somebody else has to agree" in page
        assert post(client, f"{path}/agree", mode="full", days="30").status_code == 409
    transport = httpx.HTTPTransport(uds=str(site.platform.admin_socket))
    with httpx.Client(base_url="http://localhost", transport=transport) as owner:
        assert "Administrator Person proposed" in owner.get(f"/departments/{ward.id}").text
        assert post(owner, f"{path}/agree", mode="full", days="30").status_code == 303
    rule = site.platform.retention.rule(ward.id, site.clock())
    assert (rule.mode, rule.proposal) == (RetentionMode.FULL, None)


def test_ret_3_a_shorter_time_is_proposed_and_can_be_withdrawn(
    site: Site, ward: Department
) -> None:
    """It waits, and nothing changes when it is withdrawn."""
    rule = site.platform.retention.rule(ward.id, site.clock())
    path = f"/departments/{ward.id}/retention"
    with site.client("administrator") as client:
        post(client, path, mode=rule.mode.value, days="5")
        assert site.platform.retention.rule(ward.id, site.clock()).proposal is not None
        assert post(client, f"{path}/withdraw").status_code == 303
        assert post(client, path, mode="metadata", days="").status_code == 422
    assert site.platform.retention.rule(ward.id, site.clock()) == rule


def test_ret_2_a_legal_hold_needs_a_reason(site: Site, ward: Department) -> None:
    """Without one nothing is set; with one it is set, and lifted again."""
    path = f"/departments/{ward.id}/hold"
    with site.client("administrator") as client:
        assert post(client, path, hold="set").status_code == 422
        assert not site.platform.retention.rule(ward.id, site.clock()).legal_hold
        assert post(client, path, hold="set", reason="Case 7").status_code == 303
        assert "Nothing is destroyed" in client.get(f"/departments/{ward.id}").text
        assert site.platform.retention.rule(ward.id, site.clock()).legal_hold
        assert post(client, path, hold="lift", reason="Closed").status_code == 303
    assert not site.platform.retention.rule(ward.id, site.clock()).legal_hold
