"""Coming, locking, leaving and being signed out, in a real browser."""

import pytest
from playwright.sync_api import Browser, Page, expect

from governance.events import SYSTEM
from governance.permissions import Role
from web.testing import Site

pytestmark = pytest.mark.browser
VIALS = "/search?q=vial&department=Pharmacy"
PASSWORD = "harbour lantern violet tram"


def test_signing_in_locking_and_leaving_without_javascript(browser: Browser, site: Site) -> None:
    """A shared ward computer: come, go away, come back, hand over."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(VIALS)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("User name").fill("staff")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="4 passages found")).to_be_visible()

    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="4 passages found")).to_have_count(0)
    page.goto("/unlock?next=%2Fsearch%3Fq%3Dvial%26department%3DPharmacy")
    page.get_by_label("Password of Staff Person").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("heading", name="4 passages found")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="4 passages found")).to_have_count(0)
    context.close()


def test_a_question_in_an_ended_session_leads_to_the_sign_in_page(page: Page, site: Site) -> None:
    """htmx goes there as well, instead of showing nothing."""
    page.goto("/")
    site.platform.sessions.end_all(SYSTEM, site.people["editor"])
    page.get_by_label("Your question").fill("How long?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Your session has ended, so you were signed out.")).to_be_visible()


def test_owu_1_a_person_sees_why_the_answer_stopped(page: Page, site: Site) -> None:
    """In the place of the answer, in words."""
    people = site.platform.people
    person = people.create(SYSTEM, "Rita Reader", f"browsing-{len(people.people())}")
    pharmacy = site.platform.policies.department("Pharmacy").id
    grant = people.grant(SYSTEM, person.id, Role.STAFF, pharmacy)
    assert isinstance(site.people, dict)
    site.people["browsing"] = person.id
    page.context.add_cookies(site.cookies("browsing"))
    site.assistant.gate.clear()
    page.goto("/")
    page.get_by_label("Your question").fill("slow")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#source-1")).to_be_visible()
    people.withdraw(SYSTEM, grant.id)
    expect(page.get_by_text("The answer stopped because your access ended.")).to_be_visible()
    site.assistant.gate.set()


def test_hip_3_a_page_that_nobody_uses_warns_and_then_goes(page: Page, site: Site) -> None:
    """One button keeps the session; without it the words leave the screen by themselves."""
    page.clock.install()
    page.goto(VIALS)
    page.clock.fast_forward(14 * 60_000)
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("button", name="Stay signed in")).to_have_count(0)
    site.platform.sessions.end_all(SYSTEM, site.people["editor"])
    page.clock.fast_forward(16 * 60_000)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("heading", name="4 passages found")).to_have_count(0)
