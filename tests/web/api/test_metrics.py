"""What an alert is made of, and that it can be read when nothing can be written (AUD-6, HIP-2)."""

from collections.abc import Iterator

import httpx
import pytest

from governance.audit.testing import no_room
from governance.events import SYSTEM, Actor
from governance.permissions import Permission, Role
from web.testing import Site


@pytest.fixture
def scraper(site: Site) -> Iterator[httpx.Client]:
    """A program with a key for nothing else."""
    key = site.key("administrator", [Permission.PLATFORM_OPERATE])
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=site.url, headers=headers) as client:
        yield client


def metrics(client: httpx.Client) -> dict[str, int]:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: int(number) for name, number in (line.split() for line in lines)}


def test_nobody_reads_them_who_does_not_operate_the_platform(
    site: Site, stranger: httpx.Client, editor: httpx.Client, scraper: httpx.Client
) -> None:
    """They tell when the trail is blind."""
    assert stranger.get("/metrics").status_code in (303, 401)
    assert editor.get("/metrics").status_code == 403
    assert scraper.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


def test_hip_2_an_emergency_access_raises_the_metric_until_it_is_reviewed(
    site: Site, scraper: httpx.Client
) -> None:
    """Running first, then ended and waiting for somebody else to look at it."""
    before = metrics(scraper)["lamplight_emergency_access_open"]
    person = site.platform.people.person(site.people["manager"])
    actor = Actor(person.issuer, person.subject, "password", person.id)
    place = site.platform.policies.department("Catering").id
    store = site.platform.emergencies
    held = store.start(actor, person.id, place, Role.STAFF, "The ward has no other way", 1)
    told = metrics(scraper)
    assert told["lamplight_emergency_access_open"] == before + 1
    assert told["lamplight_emergency_access_running"] >= 1
    site.platform.people.withdraw(SYSTEM, held.id)
    assert metrics(scraper)["lamplight_emergency_access_open"] == before + 1
    store.review(Actor("local", "owner", "socket"), held.id)
    told = metrics(scraper)
    assert told["lamplight_emergency_access_open"] == before


def test_aud_6_a_full_disk_answers_503_and_the_metric_is_raised(
    site: Site, administrator: httpx.Client, scraper: httpx.Client, stranger: httpx.Client
) -> None:
    """Acts and governed reads are refused alike; health can be read; room ends it, no restart."""
    assert metrics(scraper)["lamplight_audit_blocked"] == 0
    asked = {"question": "How long may vials be used?", "department": "Pharmacy"}
    with no_room():
        made = administrator.post("/api/v1/departments", json={"name": "Lost"})
        answer = administrator.post("/api/v1/ask", json=asked)
        for refused in (made, answer):
            assert refused.status_code == 503
            error = refused.json()["error"]
            assert error["type"] == "trail_blocked"
            assert error["message"].startswith("The audit trail cannot be written: ")
            assert "Free disk space" in error["hint"]
        assert administrator.get(f"/documents/{site.vials}/versions/1").status_code == 503
        for client in (stranger, administrator, scraper):
            assert client.get("/healthz").status_code == 200
        assert stranger.get("/help").status_code == 200
        assert stranger.get("/readyz").status_code == 503
        told = metrics(scraper)
        assert told["lamplight_audit_blocked"] == 1
        assert told["lamplight_audit_refused"] >= 3
    site.platform.record.try_again()
    assert metrics(scraper)["lamplight_audit_blocked"] == 0
    assert stranger.get("/readyz").status_code == 200
    assert administrator.post("/api/v1/ask", json=asked).status_code == 200
