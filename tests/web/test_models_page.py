"""The pages of models: proposed by one, approved by others, revoked, blocked; and who may what."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from governance.approval_rules import ApprovalState
from governance.data_classes import DataClass
from governance.events import SYSTEM, Actor
from governance.permissions import Role
from governance.policies import Department
from governance.risks import Risk
from governance.testing_approvals import proposal
from web.testing import Site

BROUGHT = "c" * 64
HERE = f"/models/{BROUGHT}"
OWNER = Actor("local", "owner", "socket")
PARTS = ("likelihood", "impact", "mitigation")


@pytest.fixture(autouse=True)
def tidy(site: Site) -> Iterator[None]:
    """No test leaves a block, which would stop the others."""
    yield
    blocks = site.platform.models.blocks
    for one in blocks.blocks():
        blocks.lift(OWNER, one.id, "The test is over", site.clock())


def form(site: Site, **changes: str) -> dict[str, str]:
    """A proposal as the page sends it."""
    ends = site.clock() + timedelta(days=30)
    fields = {
        "data_class": "internal",
        "department": "everywhere",
        "purposes": "Answers",
        "evidence": "The ward's questions",
        "why": "The catalogue has none",
        "expires-day": str(ends.day),
        "expires-month": str(ends.month),
        "expires-year": str(ends.year),
        "publisher": "A maker",
        **{f"{part}-{risk}": "2" for part in ("likelihood", "impact") for risk in Risk},
        **{f"mitigation-{risk}": "The passage is shown" for risk in Risk},
    }
    return fields | changes


def second(site: Site, username: str) -> str:
    """Another administrator, who can sign in."""
    if username not in site.people:
        person = site.platform.people.create(SYSTEM, f"{username.title()} Person", username)
        site.platform.people.grant(SYSTEM, person.id, Role.ADMINISTRATOR, None)
        assert isinstance(site.people, dict)
        site.people[username] = person.id
    return username


def test_apr_1_a_model_is_proposed_approved_and_revoked_on_its_page(site: Site) -> None:
    """Without JavaScript; the proposer has no button to approve, and is refused without it."""
    store = site.platform.models.approvals
    with site.client("administrator") as client:
        assert client.post(f"{HERE}/propose", data=form(site)).status_code == 303
        [made] = [one for one in store.approvals(BROUGHT) if not one.steps]
        text = client.get(HERE).text
        assert "You proposed it, so others have to approve." in text
        assert f'formaction="/models/approvals/{made.id}/approve"' not in text
        act = f"/models/approvals/{made.id}/approve"
        assert client.post(act, data={"reason": "Mine"}).status_code == 409
    with site.client(second(site, "other")) as client:
        assert "Say why." in client.post(act, data={}).text
        assert client.post(act, data={"reason": "I tried it"}).status_code == 303
        assert store.approval(made.id).state(site.clock()) is ApprovalState.APPROVED
        assert ">Approved<" in client.get("/models").text
        revoke = f"/models/approvals/{made.id}/revoke"
        assert client.post(revoke, data={"reason": "It failed"}).status_code == 303
    assert store.approval(made.id).state(site.clock()) is ApprovalState.REVOKED


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"data_class": ""}, "data_class"),
        ({"data_class": "phi", "pia": "PIA-1"}, "data_class"),
        ({"data_class": "confidential"}, "pia"),
        ({"department": ""}, "department"),
        ({"purposes": ""}, "purposes"),
        ({"evidence": ""}, "evidence"),
        ({"reports": "abc"}, "reports"),
        ({"why": ""}, "why"),
        ({"publisher": ""}, "publisher"),
        ({"bom": "abc"}, "bom"),
        ({"conditions": "x" * 2001}, "conditions"),
        ({"data_class": "confidential", "pia": "PIA-1"}, "reports"),
        *(({f"{part}-{risk}": ""}, f"risk-{risk}") for part in PARTS for risk in Risk),
        ({"likelihood-privacy": "4"}, "risk-privacy"),
        ({"expires-day": ""}, "expires"),
        ({"expires-year": "2099"}, "expires"),
    ],
)
def test_can_5_a_wrong_proposal_is_refused_at_its_field(
    site: Site, changes: dict[str, str], at: str
) -> None:
    """What was written is kept in the form, and nothing is proposed."""
    before = site.platform.models.approvals.approvals()
    with site.client("administrator") as client:
        answer = client.post(f"{HERE}/propose", data=form(site, **changes))
    assert answer.status_code == 422
    assert f'href="#{at}"' in answer.text
    assert "The ward&#39;s questions" in answer.text or at == "evidence"
    assert site.platform.models.approvals.approvals() == before


@pytest.fixture
def ward(site: Site) -> Department:
    """A department of this test's own."""
    return site.platform.policies.create_department(SYSTEM, "Ward for models")


def test_az_1_an_approver_decides_in_their_department_alone(site: Site) -> None:
    """Not for all departments, not for another, and not what they cannot see."""
    store, now = site.platform.models.approvals, site.clock()
    ends = {"not_before": now, "expires_at": now + timedelta(days=3)}
    pharmacy = site.platform.policies.department("Pharmacy").id
    catering = site.platform.policies.department("Catering").id
    wanted = {
        place: store.propose(
            OWNER, proposal(**ends, department_ids=None if place is None else (place,)), now
        ).id
        for place in (pharmacy, catering, None)
    }
    statuses = {}
    with site.client("approver") as client:
        for place, approval_id in wanted.items():
            act = f"/models/approvals/{approval_id}/approve"
            statuses[place] = client.post(act, data={"reason": "Good"}).status_code
        assert wanted[catering] not in client.get(HERE).text
        refused = client.post(f"{HERE}/propose", data=form(site, department=pharmacy))
    assert statuses == {pharmacy: 303, catering: 404, None: 403}
    assert refused.status_code == 403
    with site.client("manager") as client:
        fields = form(site, department=pharmacy)
        assert client.post(f"{HERE}/propose", data=fields).status_code == 303
        assert client.post(f"{HERE}/propose", data=form(site)).status_code == 403
        mine = store.approvals(BROUGHT)[0]
        act = f"/models/approvals/{mine.id}/withdraw"
        assert client.post(act, data={"reason": "A mistake"}).status_code == 303


def test_a_department_is_made_more_confidential_by_its_approver_and_less_by_no_one_of_it(
    site: Site, ward: Department
) -> None:
    """Less confidential only by whoever approves everywhere."""
    person = site.platform.people.create(SYSTEM, "Ward Approver", "ward-approver")
    site.platform.people.grant(SYSTEM, person.id, Role.APPROVER, ward.id)
    assert isinstance(site.people, dict)
    site.people["ward-approver"] = person.id
    path, classes = f"/models/departments/{ward.id}", site.platform.models.classes
    up = {"class": "confidential", "reason": "Plans"}
    down = {"class": "internal", "reason": "Simpler"}
    with site.client("ward-approver") as client:
        assert client.post(path, data=up).status_code == 303
        assert client.post(path, data=down).status_code == 403
        assert client.post(path, data={**up, "class": "phi"}).status_code == 422
    assert classes.classes()[ward.id] is DataClass.CONFIDENTIAL
    with site.client("approver") as client:
        assert client.post(path, data=up).status_code == 404
    with site.client("administrator") as client:
        assert client.post(path, data=down).status_code == 303


def test_gov_3_a_block_is_set_and_lifted_on_the_page(site: Site) -> None:
    """Everything, one department, or one model; each with a reason."""
    with site.client("administrator") as client:
        assert client.post(
            "/models/blocks", data={"block-department": "everywhere"}
        ).status_code == (422)
        fields = {"block-department": "everywhere", "block-reason": "An incident"}
        assert client.post("/models/blocks", data=fields).status_code == 303
        assert client.post(f"{HERE}/block", data=fields).status_code == 303
        assert "An incident" in client.get("/models").text
        for one in site.platform.models.blocks.blocks():
            lifted = client.post(f"/models/blocks/{one.id}/lift", data={"reason": "Over"})
            assert lifted.status_code == 303
    assert site.platform.models.blocks.blocks() == ()
    with site.client("approver") as client:
        assert client.post("/models/blocks", data=fields).status_code == 403


def test_the_page_of_a_model_that_is_not_there(site: Site) -> None:
    """Not found, whatever is asked of it."""
    with site.client("administrator") as client:
        assert client.get(f"/models/{'d' * 64}").status_code == 404
        assert client.post(f"/models/{'d' * 64}/propose", data=form(site)).status_code == 404


def test_dates_are_read_under_the_names_that_the_forms_give_them(
    client: httpx.Client, site: Site
) -> None:
    """The boxes of a date are called as `date_in` reads them, on every page that has some."""
    for path, who, name in (
        (HERE, "administrator", "expires"),
        ("/people/new", "administrator", "until"),
        ("/audit", "administrator", "from"),
    ):
        with site.client(who) as one:
            text = one.get(path).text
        found = set(re.findall(rf'name="({name}[^"]*)"', text))
        assert found == {f"{name}-{part}" for part in ("day", "month", "year")}, path
