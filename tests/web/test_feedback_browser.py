"""From a question that no policy answers to its answer, as people do it, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from web.testing import Site, faults_of

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (tags) => (await axe.run(document, {runOnly: tags})).violations
    .map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' ')}`)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def check(page: Page) -> None:
    """Nothing of this state breaks a rule, wide or narrow, with everything folded out."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    page.evaluate(AXE.read_text())
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(OVERFLOW) <= 0
        assert page.evaluate(RUN_AXE, TAGS) == []
    page.set_viewport_size({"width": 1280, "height": 900})


def opened(browser: Browser, site: Site, who: str, *, scripts: bool) -> Page:
    """A page of somebody who is signed in."""
    context = browser.new_context(base_url=site.url, java_script_enabled=scripts)
    context.add_cookies(site.cookies(who))
    return context.new_page()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_gap_is_reported_answered_and_seen(browser: Browser, site: Site, scripts: bool) -> None:
    """Not found, reported with one button, answered by an editor, read by who reported it."""
    question = f"nowhere: who may lend a {'wheelchair' if scripts else 'walking frame'}?"
    nurse = opened(browser, site, "staff", scripts=scripts)
    editor = opened(browser, site, "editor", scripts=scripts)
    faults = [faults_of(one) for one in (nurse, editor)] if scripts else []
    nurse.goto("/")
    nurse.get_by_label("Your question").fill(question)
    nurse.get_by_role("button", name="Ask", exact=True).click()
    expect(nurse.get_by_role("heading", name="The nearest policies")).to_be_visible()
    if scripts:
        check(nurse)
    nurse.get_by_label("Note for the editors").fill("A family asked")
    nurse.get_by_role("button", name="Report this gap").click()
    expect(nurse.get_by_role("heading", name="You reported this gap")).to_be_visible()
    if scripts:
        check(nurse)

    editor.goto("/")
    editor.get_by_role("link", name="Feedback", exact=True).click()
    editor.get_by_role("link", name="Questions that no policy answers").click()
    gap = editor.locator("article", has_text=question)
    expect(gap).to_contain_text("A family asked")
    gap.locator("summary").click()
    gap.get_by_label("The policy that answers it").select_option(site.hands)
    gap.get_by_label("Reply").fill("See section 2.")
    gap.get_by_role("button", name="Send the answer").click()
    expect(editor.get_by_text("Everybody who reported this sees it")).to_be_visible()

    nurse.get_by_role("link", name="Everything you reported").click()
    mine = nurse.locator("article", has_text=question)
    expect(mine).to_contain_text("Answered")
    expect(mine).to_contain_text("See section 2.")
    mine.get_by_role("link").click()
    expect(nurse.get_by_role("heading", name="Hand hygiene").first).to_be_visible()
    assert not any(faults)
    nurse.context.close()
    editor.context.close()


def test_a_reader_says_that_an_answer_is_wrong(page: Page, site: Site) -> None:
    """Below the streamed answer, with a reason; it can be changed."""
    page.goto("/")
    page.get_by_label("Your question").fill("How long is a vial good for?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("heading", name="Did this answer help?")).to_be_visible()
    check(page)
    page.get_by_label("It is out of date").check()
    page.get_by_label("What should it say?").fill("14 days")
    page.get_by_role("button", name="Send to the editors").click()
    expect(page.get_by_text("You said: it is out of date")).to_be_visible()
    check(page)
    page.get_by_role("button", name="It did help after all").click()
    expect(page.get_by_text("You said: it helped")).to_be_visible()
