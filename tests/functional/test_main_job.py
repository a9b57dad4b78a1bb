"""A staff member asks in the browser and follows a citation to the marked lines."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplight.testing import PASSWORD, USERNAME, Running

pytestmark = pytest.mark.browser

QUESTION = "How long does the scrub before the first operation of the day take?"
NOWHERE = "What is the capital city of Australia?"
# A small, busy machine takes its time to read a prompt and write an answer.
ANSWER_TIMEOUT_MS = 180_000
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def page(browser: Browser, up: Running) -> Iterator[Page]:
    yield from open_page(browser, up, java_script=True)


@pytest.fixture
def plain_page(browser: Browser, up: Running) -> Iterator[Page]:
    yield from open_page(browser, up, java_script=False)


def open_page(browser: Browser, up: Running, *, java_script: bool) -> Iterator[Page]:
    context = browser.new_context(
        base_url=up.url, viewport=DESKTOP, java_script_enabled=java_script
    )
    context.set_default_timeout(ANSWER_TIMEOUT_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    up.sign_up()
    sign_in(page)
    yield page
    context.close()
    assert faults == [], "nothing was refused by the content security policy, and no script failed"


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("User name").fill(USERNAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Your question")).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.goto("/")
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def answered(page: Page) -> None:
    """Wait for the end of an answer; the empty page is not busy either."""
    expect(page.locator(".lamp-checked")).to_be_visible(timeout=ANSWER_TIMEOUT_MS)


def keep(page: Page, name: str) -> None:
    """Save a picture where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_sources_then_answer_then_the_marked_lines(page: Page) -> None:
    """Sources come first, the checked answer streams after them, its marker leads to the page."""
    ask(page, QUESTION)
    cards = page.locator(".lamp-card")
    expect(cards.first).to_be_visible(timeout=ANSWER_TIMEOUT_MS)
    assert page.locator("#answer").get_attribute("aria-busy") == "true", "still writing"
    keep(page, "1-sources")
    expect(page.locator("#answer")).to_have_attribute(
        "aria-busy", "false", timeout=ANSWER_TIMEOUT_MS
    )
    keep(page, "2-answered")
    answer = page.locator("#answer-text")
    marker = answer.get_by_role("link").first
    quote = page.locator(".lamp-card blockquote").first.inner_text()
    marker.click()
    page.locator(".lamp-card:has(blockquote)").first.get_by_role("link").first.click()
    expect(page.locator("mark").first).to_be_visible()
    keep(page, "3-viewer")
    marked = " ".join(page.locator("mark").all_inner_texts())
    assert fold(quote)[:40] in fold(marked)
    image = page.locator(".lamp-page img").first
    if image.count():
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("picture => picture.naturalWidth") > 0


def fold(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def test_the_same_without_javascript(plain_page: Page) -> None:
    """A form post answers with the whole page, and its links lead to the same places."""
    ask(plain_page, QUESTION)
    expect(plain_page.locator("#answer-text a").first).to_be_visible(timeout=ANSWER_TIMEOUT_MS)
    keep(plain_page, "4-without-javascript")
    plain_page.locator(".lamp-card:has(blockquote)").first.get_by_role("link").first.click()
    expect(plain_page.locator("mark").first).to_be_visible()


def test_what_the_policies_do_not_say_is_not_found(page: Page) -> None:
    """No text is made up, and the nearest policies are offered."""
    ask(page, NOWHERE)
    expect(
        page.get_by_role("heading", name="We did not find this in the current policies")
    ).to_be_visible(timeout=ANSWER_TIMEOUT_MS)
    keep(page, "5-not-found")
    expect(page.get_by_role("link", name="Search without AI")).to_be_visible()


def test_an_answer_can_be_opened_again(page: Page) -> None:
    """Going to a source and back shows the same answer, without asking the model again."""
    ask(page, QUESTION)
    answered(page)
    text = page.locator("#answer-text").inner_text()
    page.locator(".lamp-card:has(blockquote)").first.get_by_role("link").first.click()
    page.go_back()
    expect(page.locator("#answer-text")).to_have_text(text, use_inner_text=True)


def test_a_phone_shows_it_without_scrolling_sideways(page: Page) -> None:
    """Everything fits 360 pixels."""
    page.set_viewport_size(PHONE)
    ask(page, QUESTION)
    answered(page)
    keep(page, "6-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
