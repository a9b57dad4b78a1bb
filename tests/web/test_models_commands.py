"""`lamplight model` and `/api/v1/approvals`, against a running platform over its socket."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from governance.events import SYSTEM
from governance.permissions import Role
from governance.record.model_tables import evaluation_reports
from governance.risks import Risk
from governance.testing_approvals import BROUGHT, recorded
from lamplight.cli import app
from lamplight.errors import BadUse, PlatformRefused
from lamplight.settings import load_settings
from web.testing import Site

Run = Callable[..., Any]
WHY = ("--reason", "The ward needs it")
RISKS = tuple(
    word for one in Risk for word in ("--risk", f"{one}=1,2,The passages, as quoted, are shown")
)
PROPOSE = ("--for", "Answers", "--evidence", "200 questions", "--publisher", "A", *RISKS, *WHY)


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Run:
    """Runs a command in a data directory whose platform is the site; gives its JSON."""
    socket = load_settings(tmp_path).admin_socket
    socket.parent.mkdir(parents=True)
    socket.symlink_to(str(site.platform.admin_socket))

    def run(*words: str, as_json: bool = True) -> Any:
        wanted = ["--json"] if as_json else []
        result = CliRunner().invoke(app, [*words, *wanted, "--data", str(tmp_path)])
        if result.exception is not None:
            raise result.exception
        return json.loads(result.stdout) if as_json else result.output

    return run


def api(site: Site, who: str, path: str, **body: Any) -> Any:
    """A request of a person's program; gives status and JSON."""
    if who not in site.people:
        person = site.platform.people.create(SYSTEM, f"{who.title()} Person", who)
        site.platform.people.grant(SYSTEM, person.id, Role.ADMINISTRATOR, None)
        assert isinstance(site.people, dict)
        site.people[who] = person.id
    with site.client(who) as client:
        answer = client.post(f"/api/v1{path}", json=body)
    return answer.status_code, answer.json()


def test_gov_9_the_owner_is_one_person_on_the_command_line_too(run: Run, site: Site) -> None:
    """Proposes, cannot approve it; approves what another proposed; revokes."""
    made = run("model", "propose", "brought", "--class", "internal", *PROPOSE)
    assert made["proposed_by"] == "The owner of the data directory"
    with pytest.raises(PlatformRefused, match="own proposal"):
        run("model", "approve", "brought", *WHY)
    status, after = api(site, "administrator", f"/approvals/{made['id']}/approve", reason="Good")
    assert (status, after["state"]) == (200, "approved")
    listed = {one["names"][0]: one for one in run("model", "list")["models"]}
    assert listed["brought"]["state"] == "approved"
    assert listed["chat"]["pinned"]
    assert run("model", "revoke", "brought", *WHY)["state"] == "revoked"
    with pytest.raises(BadUse, match="no such approval"):
        run("model", "revoke", "brought", *WHY)


def test_gov_9_above_internal_three_people_are_needed(run: Run, site: Site) -> None:
    """One proposes, two approve; without a privacy impact assessment nothing is proposed."""
    confidential = ("model", "propose", "brought", "--class", "confidential", *PROPOSE)
    with pytest.raises(PlatformRefused, match="privacy impact assessment"):
        run(*confidential)
    confidential = (*confidential, "--pia", "PIA-2026-014", "--department", "Pharmacy")
    with pytest.raises(PlatformRefused, match="recorded evaluation of this very model"):
        run(*confidential)
    report = recorded(site.platform.models.reports, BROUGHT, site.clock())
    made = run(*confidential, "--report", report)
    assert (made["approvers_needed"], made["departments"]) == (2, ["Pharmacy"])
    approve = f"/approvals/{made['id']}/approve"
    assert api(site, "administrator", approve, reason="Good")[1]["state"] == "proposed"
    assert api(site, "administrator", approve, reason="Good")[0] == 409
    assert api(site, "second", approve, reason="Good")[1]["state"] == "approved"


def test_a_proposal_is_withdrawn_and_a_block_is_set_and_lifted(run: Run) -> None:
    """Each is told in words where no JSON is asked for."""
    run("model", "propose", "brought", "--class", "public", "--until", "2027-03-31", *PROPOSE)
    assert run("model", "withdraw", "brought", *WHY)["state"] == "withdrawn"
    blocked = run("model", "block", "brought", "--department", "Catering", *WHY)
    assert blocked["department"] == "Catering"
    assert "Name" in run("model", "list", as_json=False)
    assert run("model", "unblock", blocked["id"], *WHY)["state"] == "lifted"


def test_the_class_of_a_department_is_set(run: Run) -> None:
    """Patient data is switched off."""
    changed = run("model", "class", "Catering", "confidential", *WHY)
    assert changed == {"department": "Catering", "data_class": "confidential"}
    with pytest.raises(PlatformRefused, match="switched off"):
        run("model", "class", "Catering", "phi", *WHY)
    run("model", "class", "Catering", "internal", *WHY)


def test_asvs_15_3_an_unknown_field_of_a_proposal_is_refused_by_name(site: Site) -> None:
    """And a class that does not exist."""
    status, told = api(site, "administrator", "/approvals", approvers=["me"])
    assert (status, "approvers" in told["error"]["message"]) == (422, True)


def test_az_1_a_program_sees_what_its_department_may_see(site: Site, run: Run) -> None:
    """Nothing of approvals that are only about another department."""
    made = run(
        "model", "propose", "brought", "--class", "public", "--department", "Catering", *PROPOSE
    )
    with site.client("approver") as client:
        known = client.get("/api/v1/approvals").json()["approvals"]
        assert made["id"] not in {one["id"] for one in known}
        assert client.get(f"/api/v1/approvals/{made['id']}").status_code == 404
    with site.client("auditor") as client:
        assert client.get("/api/v1/inventory").status_code == 200
        assert client.get("/api/v1/data-classes").json()["departments"] == [
            {"department": "Pharmacy", "data_class": "internal"}
        ]


def test_apr_6_an_evaluation_is_recorded_and_cited(run: Run, site: Site, tmp_path: Path) -> None:
    """The figures and digests alone; no word of questions or answers leaves the command."""
    questions = tmp_path / "questions.jsonl"
    gold = {"doc": "vials.pdf", "evidence": "28 days"}
    asked = {"id": "1", "question": "How long?", "answerable": True, "gold": [gold]}
    questions.write_text(json.dumps({**asked, "answers": ["28 days"]}))
    told = run("eval", str(questions), "--department", "Pharmacy", "--record")
    with site.platform.record.read() as connection:
        [row] = connection.execute(select(evaluation_reports).order_by("recorded_at")).all()[-1:]
    assert row.suite_digest == hashlib.sha256(questions.read_bytes()).hexdigest()
    assert row.model_digests.split() == sorted(told["config"]["model_digests"].values())
    assert "How long" not in row.figures
