"""The audit pages: who sees which events, search, proof, check, export, questions, reviews."""

import json
from datetime import timedelta

import httpx
import pytest

from governance.audit.note import parse_proof
from governance.events import SYSTEM, Action, Actor, Event
from governance.permissions import Role
from governance.questions import AskedRecord, Channel, QuestionStatus
from web.testing import Site


def actor_of(site: Site, who: str) -> Actor:
    return Actor("local", who, "password", site.people[who])


def newest(site: Site) -> list[dict[str, object]]:
    """The latest events, as the owner of the data directory reads them."""
    transport = httpx.HTTPTransport(uds=str(site.platform.admin_socket))
    with httpx.Client(base_url="http://localhost", transport=transport) as owner:
        return [one["event"] for one in owner.get("/api/v1/audit").json()["events"]]


@pytest.fixture
def asked(site: Site) -> str:
    """A question that was asked in Pharmacy."""
    place = site.platform.policies.department("Pharmacy").id
    wanted = AskedRecord(
        place, site.people["staff"], Channel.PAGE, QuestionStatus.ANSWERED, "a secret word", "x"
    )
    return site.platform.questions.record_answer(SYSTEM, wanted, site.clock())


def test_az_2_an_auditor_reads_events_of_their_departments_only(site: Site) -> None:
    """What belongs to another department, or to none, is for administrators."""
    with site.client("administrator") as client:
        assert "created the department Catering" in client.get("/audit?act=department.created").text
    with site.client("auditor") as client:
        text = client.get("/audit?act=department.created").text
        assert "created the department Pharmacy" in text
        assert "created the department Catering" not in text
        assert client.get("/audit/1").status_code == 404
        assert client.get("/audit/1/proof").status_code == 404
        assert client.get("/audit?department=Catering").status_code == 422


def test_staff_read_no_trail(site: Site) -> None:
    """Neither the list nor one event nor its proof."""
    with site.client("staff") as client:
        for path in ("/audit", "/audit/0", "/audit/0/proof", "/audit/questions"):
            assert client.get(path).status_code == 403


def test_aud_14_search_by_who_act_and_day(site: Site) -> None:
    """By user name or full name; a day that is none is pointed to."""
    with site.client("administrator") as client:
        found = client.get("/audit?who=Editor+Person&act=session.started").text
        assert "signed in" in found or "No event fits" in found
        assert "No event fits" in client.get("/audit?from-day=1&from-month=1&from-year=2099").text
        wrong = client.get("/audit?from-day=40&from-month=1&from-year=2026")
        assert (wrong.status_code, 'href="#from-day"' in wrong.text) == (422, True)
        assert 'href="#who"' in client.get("/audit?who=no-such-person").text
    assert Action.AUDIT_SEARCHED in [one["action"] for one in newest(site)]


def test_events_are_paged_by_number(site: Site) -> None:
    """Older events follow without a gap and without an event twice."""
    with site.platform.record.write() as connection:
        for _ in range(60):
            site.platform.record.trail.append(connection, Event(Action.PLATFORM_STARTED, SYSTEM))
    with site.client("administrator") as client:
        first = client.get("/audit?act=platform.started").text
        assert first.count("started the platform</") + first.count("started the platform<") >= 50
        older = first.split('href="/audit?act=platform.started&amp;before=')[1].split('"')[0]
        second = client.get(f"/audit?act=platform.started&before={older}").text
    assert f">{older}<" not in second.replace("</span>", ">")
    assert "Newest events" in second


def test_a_proof_and_the_event_as_signed_are_downloads(site: Site) -> None:
    """The proof names the event, and the file is the canonical body."""
    with site.client("administrator") as client:
        proof, leaf = client.get("/audit/0/proof"), client.get("/audit/0/leaf")
    assert "attachment" in proof.headers["content-disposition"]
    parsed = parse_proof(proof.text)
    assert (parsed.seq, parsed.leaf) == (0, leaf.content)
    assert json.loads(leaf.text)["seq"] == 0


def test_check_now_says_that_the_trail_is_whole(site: Site) -> None:
    """The page shows how many events were checked, and when."""
    with site.client("auditor") as client:
        answer = client.post("/audit/verify")
        assert answer.status_code == 303
        assert "Nothing was found to be changed or removed" in client.get("/audit").text
    checked = site.platform.trail.checked
    assert checked is not None
    assert checked.verdict.code == 0


def test_can_2_an_export_holds_the_callers_departments_and_is_recorded(site: Site) -> None:
    """Everything as JSON lines, or the five columns of PHIPA."""
    place = site.platform.policies.department("Pharmacy").id
    with site.client("auditor") as client:
        full = client.post("/audit/export", data={"profile": "full"})
        phipa = client.post("/audit/export", data={"profile": "phipa"})
        assert client.post("/audit/export", data={"profile": "other"}).status_code == 422
    events = [json.loads(line) for line in full.text.splitlines()]
    assert {one["tenant"] for one in events} == {place}
    columns = {"information_type", "date_time", "person", "act", "individual"}
    assert all(set(json.loads(line)) == columns for line in phipa.text.splitlines())
    assert [one["action"] for one in newest(site)][:2] == [Action.AUDIT_EXPORTED] * 2


def test_reading_a_question_is_recorded(site: Site, asked: str) -> None:
    """The auditor sees who asked; where no text is kept, the page says so."""
    with site.client("auditor") as client:
        assert asked in client.get("/audit/questions").text
        text = client.get(f"/audit/questions/{asked}").text
    assert "Staff Person" in text
    assert "a secret word" not in text
    assert newest(site)[0]["action"] == Action.QUESTION_READ


def test_az_2_a_question_of_another_department_is_not_there(site: Site, asked: str) -> None:
    """Not even that it exists; and a manager, who is no auditor, reads none."""
    place = site.platform.policies.department("Catering").id
    site.platform.people.grant(SYSTEM, site.people["outsider"], Role.AUDITOR, place)
    with site.client("outsider") as client:
        assert client.get(f"/audit/questions/{asked}").status_code == 404
    with site.client("manager") as client:
        assert client.get(f"/audit/questions/{asked}").status_code == 403


def test_hip_2_an_ended_emergency_waits_for_somebody_elses_review(site: Site) -> None:
    """Not while it runs, not by oneself; once reviewed it leaves the list."""
    place = site.platform.policies.department("Pharmacy").id
    site.clock.ahead -= timedelta(hours=2)
    held = site.platform.emergencies.start(
        actor_of(site, "outsider"), site.people["outsider"], place, Role.STAFF, "Nobody there", 15
    )
    site.clock.ahead += timedelta(hours=2)
    path = f"/audit/emergencies/{held.id}/review"
    with site.client("auditor") as client:
        assert "Reason: Nobody there" in client.get("/audit").text
        assert client.post(path).status_code == 303
        assert "Reason: Nobody there" not in client.get("/audit").text
        assert client.post(path).status_code == 422
    assert newest(site)[0]["action"] != Action.EMERGENCY_STARTED
