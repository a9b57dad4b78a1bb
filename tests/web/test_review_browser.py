"""A policy from the upload to its replacement, in a browser: by an editor and an approver."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from governance.events import SYSTEM
from web.testing import Site, faults_of, passage_of
from web.testing_hands import Hands

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
OLD = "# Door code\n\n## Rule\n\nThe door code is changed every 30 days.\n"
NEW = OLD.replace("30 days", "7 days")
RUN_AXE = "() => axe.run().then((found) => found.violations.map((one) => one.id))"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def hands(site: Site) -> Iterator[Hands]:
    with ExitStack() as stack:
        yield Hands(site, stack, count(900))


def page_of(browser: Browser, site: Site, who: str) -> Page:
    """A browser window of somebody."""
    context: BrowserContext = browser.new_context(base_url=site.url)
    context.add_cookies(site.cookies(who))
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def upload(page: Page, hands: Hands, text: str) -> None:
    """Load a file, wait until it is read, and follow the notice."""
    page.goto("/documents")
    page.get_by_label("Files").set_input_files(
        {"name": "door.md", "mimeType": "text/markdown", "buffer": text.encode()}
    )
    page.get_by_label("Department", exact=True).select_option("Pharmacy")
    page.get_by_role("button", name="Load files").click()
    expect(page.get_by_text("door.md: received.")).to_be_visible()
    hands.settle()
    page.get_by_role("link", name="check and submit it").click()


def check_page(page: Page) -> None:
    """It breaks no rule of accessibility, wide or narrow."""
    page.evaluate(AXE.read_text())
    assert page.evaluate(RUN_AXE) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(RUN_AXE) == []
    page.set_viewport_size({"width": 1280, "height": 900})


def approve(page: Page, path: str) -> None:
    """Find it in the queue, and approve it."""
    page.goto("/review")
    page.locator(f'a[href="{path}"]').click()
    check_page(page)
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("It is approved.")).to_be_visible()
    expect(page.get_by_text("In force", exact=True).first).to_be_visible()


def answer_from(site: Site, document_id: str) -> None:
    """Let the scripted assistant answer from what is in force of this document now."""
    policies = site.platform.policies
    detail = policies.document(document_id).in_force
    assert detail is not None
    hits = site.platform.index.search("Pharmacy", "door code", None, 20, site.clock().timestamp())
    found = policies.passages_in_force([hit.passage_id for hit in hits], "Pharmacy")
    site.assistant.passages = [
        passage_of(one) for one in found.values() if one.document_id == document_id
    ]
    assert site.assistant.passages


def ask(page: Page) -> str:
    """Ask about the code; gives the answer's sources."""
    page.goto("/")
    page.get_by_label("Your question").fill("How often is the door code changed?")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("every").first).to_be_visible()
    return page.locator("main").inner_text()


def test_upload_check_approve_ask_replace_ask_again(
    browser: Browser, site: Site, hands: Hands
) -> None:
    """The answer changes with the version, and the old one cannot be reached by staff."""
    editor, approver, staff = (
        page_of(browser, site, who) for who in ("editor", "approver", "staff")
    )
    faults = faults_of(editor) + faults_of(approver)
    upload(editor, hands, OLD)
    check_page(editor)
    editor.get_by_label("Policy number").fill("SEC-9")
    editor.get_by_role("button", name="Save only").click()
    expect(editor.get_by_text("What you stated is saved.")).to_be_visible()
    editor.get_by_role("button", name="Submit for approval").click()
    expect(editor.get_by_text("Somebody else has to approve it.")).to_be_visible()
    path = editor.url.split("?")[0].removeprefix(site.url)
    document_id = path.split("/")[2]
    approve(approver, path)
    answer_from(site, document_id)
    assert "30 days" in ask(staff)
    old = f"/documents/{document_id}/versions/1"
    assert staff.goto(old).status == 200  # type: ignore[union-attr]

    place = site.platform.policies.department("Pharmacy")
    second = site.platform.loader.submit(
        SYSTEM, "door.md", NEW.encode(), place, replaces=document_id
    )
    hands.settle()
    path = f"/documents/{document_id}/versions/{second.version}/review"
    editor.goto(path)
    editor.get_by_role("link", name="What changed").click()
    expect(editor.locator(".lamp-changes del")).to_have_text("30")
    check_page(editor)
    editor.goto(path)
    editor.get_by_role("button", name="Submit for approval").click()
    assert "30 days" in ask(staff)
    approve(approver, path)
    answer_from(site, document_id)
    assert "7 days" in ask(staff)
    assert staff.goto(old).status == 404  # type: ignore[union-attr]
    assert faults == []
    for page in (editor, approver, staff):
        page.context.close()
