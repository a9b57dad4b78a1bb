"""Evaluation as an editor does it, in a real browser, and every state of its pages."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from governance.evaluation_gates import GateMode
from governance.events import SYSTEM, Actor
from governance.gold_drafts import GoldDraft
from lamplight.evaluating import evaluating
from rag.gate import MARGINS
from web.testing import Site, faults_of
from web.testing_evaluation import FOUR, begin_anew, evaluations, run_done

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
SLOW = GoldDraft("A slow one: may staff keep vials at home?", answerable=False, key="zz")
State = Callable[[Page, Site], None]


def opened(browser: Browser, site: Site, *, scripts: bool = True) -> Page:
    """A page of an editor who is signed in."""
    context = browser.new_context(
        base_url=site.url,
        java_script_enabled=scripts,
        viewport={"width": 1280, "height": 900},
    )
    context.add_cookies(site.cookies("editor"))
    return context.new_page()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_question_is_edited_a_run_watched_two_compared_and_the_report_opened(
    browser: Browser, site: Site, scripts: bool
) -> None:
    """From the navigation to the decision; with scripts the progress moves without a click."""
    begin_anew(site, (*FOUR, SLOW))
    finished_run(site)
    page = opened(browser, site, scripts=scripts)
    faults = faults_of(page) if scripts else []
    page.goto("/")
    page.get_by_role("link", name="Evaluation", exact=True).click()
    page.get_by_role("link", name="Gold questions of Pharmacy").click()
    page.get_by_role("link", name="When are vials discarded?").click()
    page.get_by_label("Right answers").fill("28 days\n28 days after first puncture")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The gold question was saved")).to_be_visible()

    site.assistant.gate.clear()
    page.get_by_role("link", name="Evaluation", exact=True).first.click()
    page.get_by_role("button", name="Start an evaluation").click()
    with evaluating(evaluations(site)):
        if not scripts:
            reload_until(page, "4 of 5 questions were asked")
        expect(page.get_by_text("4 of 5 questions were asked")).to_be_visible()
        site.assistant.gate.set()
        if not scripts:
            reload_until(page, "Open the report")
        expect(page.get_by_role("heading", name="Figures")).to_be_visible()
    expect(page.get_by_text("how many were answered at all")).to_be_visible()
    page.get_by_role("link", name="Wrong (2)").click()
    expect(page.get_by_text("Wrong: Who may lend a wheelchair?")).to_be_visible()

    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Two evaluations compared")).to_be_visible()
    expect(page.get_by_text("that both asked")).to_contain_text("became better")
    page.get_by_role("link", name="the later one").click()
    page.get_by_role("link", name="Open the report").click()
    expect(page.get_by_role("heading", name="Report on the pilot of Pharmacy")).to_be_visible()
    assert not faults
    page.context.close()


def finished_run(site: Site) -> str:
    """A run worked through in another thread, for here the browser has an event loop."""
    site.assistant.gate.set()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run_done, site).result()


def reload_until(page: Page, words: str) -> None:
    """Reload, as somebody without JavaScript does, until these words stand there."""
    for _ in range(200):
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(50)
        page.reload()


def go(path: str) -> State:
    """The page at this address."""

    def reach(page: Page, _site: Site) -> None:
        page.goto(path)

    return reach


def overview(page: Page, site: Site) -> None:
    """The first page with two runs."""
    finished_run(site)
    site.platform.evaluations.runs.make_baseline(SYSTEM, finished_run(site))
    page.goto("/evaluation")


def bad_start(page: Page, site: Site) -> None:
    """A run that cannot be started, for another is under way."""
    page.goto("/evaluation")
    with site.client("editor") as client:
        client.post("/evaluation/runs")
    page.get_by_role("button", name="Start an evaluation").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def bad_question(page: Page, _site: Site) -> None:
    """A gold question without words."""
    page.goto("/evaluation/questions/new")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def question(page: Page, site: Site) -> None:
    """A gold question with a place."""
    place = site.platform.policies.department("Pharmacy").id
    found = site.platform.evaluations.gold.listed(place, site.clock())
    page.goto(f"/evaluation/questions/{next(one.id for one in found if one.answerable)}")


def bad_file(page: Page, _site: Site) -> None:
    """An import without a file."""
    page.goto("/evaluation/questions")
    page.get_by_text("Add many from a file").click()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def under_way(page: Page, site: Site) -> None:
    """A run before its end."""
    with site.client("editor") as client:
        page.goto(client.post("/evaluation/runs").headers["location"])


def run(page: Page, site: Site) -> None:
    """A run with its figures."""
    page.goto(f"/evaluation/runs/{finished_run(site)}")


def compared(page: Page, site: Site) -> None:
    """Two runs."""
    before, after = finished_run(site), finished_run(site)
    page.goto(f"/evaluation/comparison?before={before}&after={after}")


def report(page: Page, site: Site) -> None:
    """The report, on a page of its own."""
    page.goto(f"/evaluation/runs/{finished_run(site)}/report")


def gate(page: Page, site: Site) -> None:
    """A gate that blocks, for no run passes it."""
    close(site)
    page.goto("/evaluation/gate?done=changed")


def bad_gate(page: Page, site: Site) -> None:
    """A gate with letters for a figure."""
    close(site)
    page.goto("/evaluation/gate")
    page.get_by_label("Questions asked, at least").fill("many")
    page.get_by_role("button", name="Change the gate").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def bad_exception(page: Page, site: Site) -> None:
    """An exception without a reason and a day."""
    close(site)
    page.goto("/evaluation/gate")
    page.get_by_text("Let questions through all the same").click()
    page.get_by_role("button", name="Let questions through").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def exception(page: Page, site: Site) -> None:
    """Somebody lets questions through."""
    place, now = close(site), site.clock()
    who = Actor("local", "editor", "password", site.people["editor"])
    site.platform.evaluations.gates.let_through(
        who, place, "The trial ends on Friday", now + timedelta(days=2), now
    )
    page.goto("/evaluation/gate")


def paused(page: Page, site: Site) -> None:
    """What somebody sees who asks while answers are paused."""
    close(site)
    page.goto("/")
    page.get_by_label("Your question").fill("How long is a vial good for?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Answers are paused").first).to_be_visible()


def close(site: Site) -> str:
    """Close the gate of Pharmacy to every run there is; gives its id."""
    place, gates = site.platform.policies.department("Pharmacy").id, site.platform.evaluations.gates
    gates.end_override(SYSTEM, place, site.clock())
    gates.change(SYSTEM, place, GateMode.BLOCK, {"questions": 1000}, MARGINS, site.clock())
    return place


STATES: dict[str, State] = {
    "gate": gate,
    "gate refused": bad_gate,
    "exception": exception,
    "exception refused": bad_exception,
    "answers paused": paused,
    "evaluation": overview,
    "start refused": bad_start,
    "gold questions": go("/evaluation/questions"),
    "gold question": question,
    "gold question refused": bad_question,
    "import refused": bad_file,
    "run under way": under_way,
    "run": run,
    "comparison": compared,
}


@pytest.mark.parametrize("name", STATES)
def test_a_page_of_evaluation_breaks_no_rule_and_fits_a_narrow_window(
    browser: Browser, site: Site, name: str
) -> None:
    """At 1280 pixels, and at 320 as with 400 % zoom; no id stands twice."""
    begin_anew(site, FOUR)
    page = opened(browser, site)
    faults = faults_of(page)
    try:
        STATES[name](page, site)
        picture(page, f"{name} wide")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        page.evaluate(AXE.read_text())
        assert page.evaluate(RUN_AXE, TAGS) == []
        assert page.evaluate(REPEATED_IDS) == []
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate(OVERFLOW) <= 0
        assert page.evaluate(RUN_AXE, TAGS) == []
        picture(page, f"{name} narrow")
        assert faults == []
    finally:
        page.context.close()


def test_the_report_shows_its_style_and_its_drawings(browser: Browser, site: Site) -> None:
    """Under a policy of its own, which lets it do nothing else."""
    begin_anew(site, FOUR)
    page = opened(browser, site)
    faults = faults_of(page)
    report(page, site)
    picture(page, "report")
    assert page.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.decision')).borderTopWidth")
        == "3px"
    )
    assert faults == []
    page.context.close()


def picture(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to see it."""
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name.replace(' ', '-')}.png", full_page=True)
