"""Every state of the admin pages in a real browser: axe-core's rules, no sideways scrolling."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from governance.data_classes import DataClass
from governance.dossier import Dossier, Origin
from governance.events import SYSTEM, Actor
from governance.limits import Limit, Period
from governance.permissions import Role
from governance.questions import AskedRecord, Channel, QuestionStatus
from governance.retention_rules import RetentionMode
from governance.risks import Risk, RiskScore
from governance.testing_approvals import proposal, recorded
from web.session_cookie import PLAIN_NAME
from web.testing import Site, faults_of

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (tags) => (await axe.run(document, {runOnly: tags})).violations
    .map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' ')}`)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
REPEATED_IDS = """() => [...document.querySelectorAll('[id]')].map((one) => one.id)
    .filter((id, at, all) => all.indexOf(id) !== at)"""
# Where to put a picture of each state, for whoever wants to look at them.
PICTURES = os.environ.get("LAMPLIGHT_TEST_PICTURES")

ORIGIN = Origin("f" * 64, "7" * 64, "8" * 64, "Q4_K_M", "Some University", "Apache-2.0", "9" * 64)
State = tuple[str, Callable[[Page, Site], None]]


def go(path: str) -> Callable[[Page, Site], None]:
    """The page at this address."""
    return lambda page, _site: page.goto(path) and None


def open_all(page: Page) -> None:
    """Fold everything out: what is folded in is not checked."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")


def person(who: str, rest: str = "") -> Callable[[Page, Site], None]:
    """The page of this person."""
    return lambda page, site: page.goto(f"/people/{site.people[who]}{rest}") and None


def department(page: Page, site: Site) -> None:
    """Pharmacy, with limits, a proposal by somebody else and a legal hold."""
    place = site.platform.policies.department("Pharmacy")
    quotas, retention, now = site.platform.quotas, site.platform.retention, site.clock()
    quotas.set_limit(SYSTEM, Limit(place.id, None, True, Period.DAY, 50_000, None))
    manager = Actor("local", "manager", "password", site.people["manager"])
    retention.propose(manager, place.id, RetentionMode.MASKED, 30, now)
    retention.hold(manager, place.id, "Case 12", now)
    page.goto(f"/departments/{place.id}")


def link(page: Page, site: Site) -> None:
    """A person's page with a new one-time link."""
    page.goto(f"/people/{site.people['editor']}")
    page.get_by_role("button", name="New password link").click()


def bad_person(page: Page, _site: Site) -> None:
    """The form that refuses a person without a name."""
    page.goto("/people/new")
    page.get_by_role("button", name="Add the person").click()


def bad_role(page: Page, site: Site) -> None:
    """A person's page that refuses a role without a department."""
    page.goto(f"/people/{site.people['nobody']}")
    page.get_by_text("Give a role").click()
    page.get_by_label("Staff").check()
    page.get_by_role("button", name="Give the role").click()


def bad_limit(page: Page, site: Site) -> None:
    """A department's page that refuses a limit of letters."""
    page.goto(f"/departments/{site.platform.policies.department('Catering').id}")
    page.get_by_text("Set a limit").click()
    page.get_by_label("Questions (optional)").fill("many")
    page.get_by_role("button", name="Set the limit").click()


def person_limits(page: Page, site: Site) -> None:
    """A person's page with a limit in one department and one everywhere."""
    quotas, person_id = site.platform.quotas, site.people["auditor"]
    place = site.platform.policies.department("Pharmacy").id
    quotas.set_limit(SYSTEM, Limit(place, person_id, False, Period.DAY, 20, None))
    quotas.set_limit(SYSTEM, Limit(None, person_id, False, Period.MONTH, None, 1_000_000))
    page.goto(f"/people/{person_id}?done=limit")


def bad_person_limit(page: Page, site: Site) -> None:
    """A person's page that refuses a limit without a department."""
    page.goto(f"/people/{site.people['approver']}")
    page.get_by_text("Set a limit").click()
    page.get_by_label("Questions (optional)").fill("20")
    page.get_by_role("button", name="Set the limit").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def certified(page: Page, _site: Site) -> None:
    """Somebody who was just added and comes in with a certificate."""
    page.goto("/people/new")
    page.get_by_label("With a client certificate").check()
    page.get_by_label("Name", exact=True).fill("Carla Certificate")
    page.get_by_label("User name").fill("carla@hospital.example")
    page.get_by_label("No role yet").check()
    page.get_by_role("button", name="Add the person").click()
    expect(page.get_by_text("They come in with their certificate")).to_be_visible()


def models(page: Page, site: Site) -> None:
    """The inventory, with a block and departments of two classes."""
    parts, manager = site.platform.models, Actor("local", "m", "password", site.people["manager"])
    place = site.platform.policies.department("Catering").id
    if not parts.blocks.blocks():
        parts.blocks.block(manager, None, place, "An incident of 3 May", site.clock())
        parts.classes.set_class(manager, place, DataClass.CONFIDENTIAL, "Allergies of staff")
    page.goto("/models?done=lifted")


def judged() -> tuple[RiskScore, ...]:
    """Risks of every level."""
    done = "The passage is shown beside the answer, and staff are told to read it"
    return tuple(RiskScore(one, 1 + n % 3, 1 + n // 3, done) for n, one in enumerate(Risk))


def old_dossier(dossier: Dossier) -> Dossier:
    """One from before the settings of the search were changed."""
    return replace(dossier, basis={"retrieval": "0"})


def model(page: Page, site: Site) -> None:
    """A model with an approval, a proposal for two people, and one that was withdrawn."""
    store, now = site.platform.models.approvals, site.clock()
    manager = Actor("local", "manager", "password", site.people["manager"])
    editor = Actor("local", "editor", "password", site.people["editor"])
    place = site.platform.policies.department("Pharmacy").id
    ends = {"not_before": now, "expires_at": now + timedelta(days=90)}
    given = store.propose(manager, proposal(**ends, report_digests=("e" * 64,)), now)
    store.approve(editor, given.id, "I have read the report and asked it myself", now)
    shown = (recorded(site.platform.models.reports, now=now),)
    more = proposal(
        DataClass.CONFIDENTIAL,
        **ends,
        department_ids=(place,),
        report_digests=shown,
        dossier=Dossier(judged(), "A weekly look at 20 answers", ORIGIN, {"retrieval": "1"}),
    )
    store.approve(editor, store.propose(manager, more, now).id, "The evidence is good", now)
    dropped = store.propose(manager, proposal(**ends), now)
    store.withdraw(manager, dropped.id, "Proposed twice", now)
    old = replace(more, data_classes=(DataClass.PUBLIC,), dossier=old_dossier(more.dossier))
    store.approve(editor, store.propose(manager, old, now).id, "Good then", now)
    page.goto(f"/models/{'c' * 64}?done=approve")


def bad_class(page: Page, _site: Site) -> None:
    """A class without a reason."""
    page.goto("/models")
    open_all(page)
    page.get_by_role("button", name="Change", exact=True).first.click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def bad_block(page: Page, _site: Site) -> None:
    """A block without a place."""
    page.goto("/models")
    open_all(page)
    page.get_by_role("button", name="Block every model").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def bad_proposal(page: Page, _site: Site) -> None:
    """A proposal without an assessment of privacy."""
    page.goto(f"/models/{'c' * 64}")
    page.get_by_text("Propose this model").click()
    page.get_by_label("Confidential", exact=True).check()
    page.get_by_label("Department").select_option("Pharmacy")
    for name in ("What it is for", "What shows that it is good enough", "Why now"):
        page.get_by_label(name).fill("Answers")
    ends = page.get_by_role("group", name="Last day")
    for name, value in (("Day", "1"), ("Month", "6"), ("Year", str(_site.clock().year + 1))):
        ends.get_by_label(name).fill(value)
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def bad_approval(page: Page, site: Site) -> None:
    """An approval without a reason."""
    store, now = site.platform.models.approvals, site.clock()
    manager = Actor("local", "manager", "password", site.people["manager"])
    store.propose(manager, proposal(not_before=now, expires_at=now + timedelta(days=9)), now)
    page.goto(f"/models/{'c' * 64}")
    page.get_by_role("button", name="Approve", exact=True).first.click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def audit(page: Page, site: Site) -> None:
    """The audit page, checked, with an ended emergency to review and a running one."""
    # An hour back, not forward: the sessions of the other tests go on.
    site.clock.ahead -= timedelta(minutes=61)
    emergency(site, "editor")
    site.clock.ahead += timedelta(minutes=61)
    emergency(site, "approver")
    page.goto("/audit")
    page.get_by_role("button", name="Check now").click()


def emergency(site: Site, who: str) -> None:
    """Let somebody into Catering."""
    actor = Actor("local", who, "password", site.people[who])
    place = site.platform.policies.department("Catering").id
    site.platform.emergencies.start(
        actor, site.people[who], place, Role.STAFF, "Allergy of a patient", 60
    )


def question(page: Page, site: Site) -> None:
    """A question with its text."""
    place = site.platform.policies.department("Catering")
    retention = site.platform.retention
    manager = Actor("local", "manager", "password", site.people["manager"])
    admin = Actor("local", "administrator", "password", site.people["administrator"])
    retention.propose(manager, place.id, RetentionMode.FULL, 30, site.clock())
    retention.agree(admin, place.id, RetentionMode.FULL, 30, site.clock())
    asked = AskedRecord(
        place.id,
        site.people["outsider"],
        Channel.PAGE,
        QuestionStatus.ANSWERED,
        "When are menus changed?",
        "On the first Monday of the month. [1]",
        checks={"released": 1, "dropped": 0},
        timings_ms={"search": 12, "total": 1804},
    )
    found = site.platform.questions.record_answer(SYSTEM, asked, site.clock())
    page.goto(f"/audit/questions/{found}")


def running(page: Page, site: Site) -> None:
    """Every page while emergency access runs."""
    page.goto("/emergency")
    page.get_by_label("Which department?").select_option("Catering")
    page.get_by_label("Why?").fill("A patient with an allergy, nobody there")
    page.get_by_role("button", name="Start emergency access").click()


def no_reason(page: Page, _site: Site) -> None:
    """The form that refuses an emergency without a reason."""
    page.goto("/emergency")
    page.get_by_label("Which department?").select_option("Catering")
    page.get_by_role("button", name="Start emergency access").click()


def rights(page: Page, site: Site) -> None:
    """What somebody can see."""
    page.goto(f"/rights?person={site.people['staff']}&department=Pharmacy&q=vials")


def reported(page: Page, site: Site) -> None:
    """Somebody of the staff has reported a gap and a wrong answer."""
    with site.client("staff") as client:
        for question, act, fields in (
            ("nowhere: may a dog visit?", "gap", {"note": "A visitor asked."}),
            ("How long are vials kept?", "feedback", {"verdict": "down", "reason": "wrong"}),
        ):
            asked = client.post("/ask", data={"question": question, "department": "Pharmacy"})
            client.post(f"{asked.headers['location']}/{act}", data=fields)


def feedback(page: Page, site: Site) -> None:
    """The list of feedback with something in it, and a reply that is missing."""
    reported(page, site)
    page.goto("/feedback")
    page.locator("summary", has_text="Reply").first.click()
    page.get_by_role("button", name="It is fixed").first.click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def gaps(page: Page, site: Site) -> None:
    """The list of gaps with one in it."""
    reported(page, site)
    page.goto("/gaps")


def reports(page: Page, site: Site) -> None:
    """What somebody of the staff reported."""
    reported(page, site)
    page.goto("/account/reports")


def abbreviations(page: Page, site: Site) -> None:
    """The list of abbreviations with one in it, and one that is refused."""
    place = site.platform.policies.department("Pharmacy").id
    store = site.platform.voices.abbreviations
    if not store.listed(place):
        store.add(SYSTEM, place, "MDV", "multi-dose vial", site.clock())
    page.goto(f"/departments/{place}/abbreviations")
    page.get_by_label("Short form", exact=True).fill("mdv")
    page.get_by_label("What it stands for", exact=True).fill("Multi-dose vial")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


STATES: dict[str, State] = {
    "people": ("administrator", go("/people")),
    "people of a manager": ("manager", go("/people")),
    "add": ("administrator", go("/people/new")),
    "add as manager": ("manager", go("/people/new")),
    "add refused": ("administrator", bad_person),
    "person": ("administrator", person("editor")),
    "person for an auditor": ("auditor", person("staff")),
    "link": ("administrator", link),
    "person limits": ("administrator", person_limits),
    "person limit refused": ("administrator", bad_person_limit),
    "person limits of a manager": ("manager", person("staff")),
    "person with a certificate": ("administrator", certified),
    "suspend": ("administrator", person("editor", "/suspend")),
    "role refused": ("administrator", bad_role),
    "departments": ("administrator", go("/departments")),
    "department": ("administrator", department),
    "limit refused": ("administrator", bad_limit),
    "audit": ("administrator", audit),
    "audit search": ("auditor", go("/audit?who=editor&act=document.deleted")),
    "audit search refused": ("auditor", go("/audit?who=nobody-known&from-day=40")),
    "event": ("administrator", go("/audit/2")),
    "questions": ("administrator", go("/audit/questions")),
    "question": ("administrator", question),
    "rights": ("administrator", rights),
    "rights empty": ("auditor", go("/rights")),
    "models": ("administrator", models),
    "models of an approver": ("approver", go("/models")),
    "models for an auditor": ("auditor", go("/models")),
    "class refused": ("administrator", bad_class),
    "block refused": ("administrator", bad_block),
    "model": ("administrator", model),
    "model of an approver": ("approver", go(f"/models/{'c' * 64}")),
    "model of the catalogue": ("administrator", go(f"/models/{'a' * 64}")),
    "proposal refused": ("administrator", bad_proposal),
    "approval refused": ("administrator", bad_approval),
    "feedback": ("editor", feedback),
    "gaps": ("editor", gaps),
    "reports": ("staff", reports),
    "abbreviations": ("editor", abbreviations),
    "emergency": ("staff", go("/emergency")),
    "emergency refused": ("staff", no_reason),
    "emergency running": ("staff", running),
}


@pytest.mark.parametrize("name", STATES)
def test_an_admin_page_breaks_no_rule_and_fits_a_narrow_window(
    browser: Browser, site: Site, name: str
) -> None:
    """At 1280 pixels, and at 320 as with 400 % zoom; no id stands twice."""
    who, reach = STATES[name]
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": PLAIN_NAME, "value": site.session(who), "url": site.url}])
    page = context.new_page()
    faults = faults_of(page)
    try:
        reach(page, site)
        picture(page, f"{name} wide")
        open_all(page)
        page.evaluate(AXE.read_text())
        assert page.evaluate(RUN_AXE, TAGS) == []
        assert page.evaluate(REPEATED_IDS) == []
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate(OVERFLOW) <= 0
        assert page.evaluate(RUN_AXE, TAGS) == []
        picture(page, f"{name} narrow")
        assert faults == []
    finally:
        context.close()


def picture(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to see it."""
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name.replace(' ', '-')}.png", full_page=True)
