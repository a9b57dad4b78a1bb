"""The pages as a person uses them, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from web.testing import Site

pytestmark = pytest.mark.browser

COUNT_ANNOUNCEMENTS = """() => {
    window.announced = [];
    const status = document.getElementById('ask-status');
    new MutationObserver(() => window.announced.push(status.textContent.trim()))
        .observe(status, {childList: true, characterData: true, subtree: true});
}"""


def ask(page: Page, question: str) -> None:
    """Type a question and ask it."""
    page.goto("/")
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def test_sources_come_first_then_the_answer_then_the_viewer(page: Page, site: Site) -> None:
    """The whole way: sources, sentences, a marker, its card, the marked words."""
    site.assistant.gate.clear()
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if request.method == "POST" else None
    )
    page.goto("/")
    page.evaluate(COUNT_ANNOUNCEMENTS)
    page.get_by_label("Your question").fill("slow: how long is a vial good for?")
    page.get_by_label("Your question").press("Enter")

    expect(page.locator("#source-1")).to_be_visible()
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".lamp-marker")).to_have_count(0)
    site.assistant.gate.set()
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")
    expect(page).to_have_title("slow: how long is a vial good for? - Lamplight")
    assert page.evaluate("window.announced") == [
        "Searching 2 current policies",
        "Found 4 passages, reading",
        "Writing",
        "Answer ready, with 2 sources",
    ]
    expect(page.locator("#answer-interrupted")).to_have_count(0)

    marker = page.get_by_role(
        "link", name="Source 1: PH-014 Multi-dose vials, pages 1 to 3", exact=True
    )
    marker.focus()
    expect(page.locator("#source-1")).to_have_class("lamp-card lamp-card--lit")
    marker.press("Enter")
    expect(page.locator("#source-1")).to_be_focused()
    page.keyboard.press("Escape")
    expect(marker).to_be_focused()

    answer_url = page.url
    page.locator("#source-1").get_by_role("link").click()
    expect(page.locator("mark").first).to_be_in_viewport()
    expect(page.locator("mark").first).to_contain_text("Multi-dose vials may be used for 28 days")
    page.go_back()
    expect(page).to_have_url(answer_url)
    expect(page.locator("#source-1 blockquote")).to_be_visible()
    assert len(asked) == 1, "the answer was generated once"


def test_back_leads_to_the_question_and_forward_to_the_answer(page: Page) -> None:
    """An answer has an address of its own."""
    ask(page, "How long is a vial good for?")
    expect(page.locator(".lamp-checked")).to_be_visible()
    page.go_back()
    expect(page.locator(".lamp-checked")).to_have_count(0)
    page.go_forward()
    expect(page.locator(".lamp-checked")).to_be_visible()
    page.reload()
    expect(page.locator(".lamp-checked")).to_be_visible()


def test_a_broken_stream_says_so_and_can_be_asked_again(page: Page, site: Site) -> None:
    """What was shown stays; one button asks again."""
    site.assistant.gate.clear()
    ask(page, "vanish")
    expect(page.locator(".lamp-marker")).to_have_count(1)
    site.assistant.gate.set()
    expect(page.locator("#answer-interrupted")).to_be_visible()
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".lamp-marker")).to_have_count(1)
    page.get_by_label("Your question").fill("How long?")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".lamp-checked")).to_be_visible()
    expect(page.locator("#answer-interrupted")).to_have_count(0)


def test_a_new_question_takes_the_place_of_the_running_one(page: Page, site: Site) -> None:
    """The first is stopped, and nothing is said to be cut short."""
    site.assistant.gate.clear()
    ask(page, "slow and given up")
    expect(page.locator("#source-1")).to_be_visible()
    page.get_by_label("Your question").fill("How long?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".lamp-checked")).to_be_visible()
    expect(page.locator("#answer-interrupted")).to_have_count(0)
    assert "slow and given up" in site.assistant.stopped
    site.assistant.gate.set()


def test_an_empty_question_moves_focus_to_the_summary(page: Page) -> None:
    """The title starts with `Error:`; the link leads to the field."""
    page.goto("/")
    page.get_by_role("button", name="Ask", exact=True).click()
    summary = page.locator(".nhsuk-error-summary")
    expect(summary).to_be_focused()
    assert page.title().startswith("Error: ")
    summary.get_by_role("link").click()
    expect(page.get_by_label("Your question")).to_be_focused()
    page.get_by_label("Your question").fill("How long?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".lamp-checked")).to_be_visible()


def test_copy_takes_the_answer_with_its_sources(page: Page) -> None:
    """Number, version, page and date of each."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, "How long is a vial good for?")
    page.get_by_role("button", name="Copy with sources").click()
    expect(page.locator("#ask-status")).to_have_text("Copied with sources")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("How long is a vial good for?")
    assert "[1] PH-014 Multi-dose vials, version 1, pages 1 to 3" in copied
    assert "http://127.0.0.1:" in copied


def test_a_keyboard_reaches_everything_in_order(page: Page) -> None:
    """From the skip link to the button."""
    page.goto("/")
    reached = []
    for _ in range(13):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "() => document.activeElement.textContent.trim() || document.activeElement.id"
            )
        )
    assert reached == [
        "Skip to main content",
        "Lamplight",
        "Ask",
        "Search",
        "Documents",
        "Review",
        "Feedback",
        "Evaluation",
        "My account: Editor Person",
        "Lock",
        "Sign out",
        "question",
        "Ask",
    ]


def test_a_folder_is_chosen_and_files_are_dropped(page: Page, tmp_path: Path) -> None:
    """A folder's files are loaded one by one; dropped files wait for the button."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.md").write_text(f"# Folder {name}\n\nRule {name} of the folder.\n")
    page.goto("/documents")
    page.get_by_label("Or a folder").set_input_files(tmp_path)
    page.get_by_role("button", name="Load files").click()
    expect(page.get_by_text("one.md: received.")).to_be_visible()
    expect(page.get_by_text("two.md: received.")).to_be_visible()
    page.goto("/documents")
    dropped = page.evaluate_handle(
        """() => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(["# Dropped\\n\\nA rule."], "dropped.md"));
            return dropped;
        }"""
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    expect(page.get_by_text("1 file is chosen.")).to_be_visible()
    page.get_by_role("button", name="Load files").click()
    expect(page.get_by_text("dropped.md: received.")).to_be_visible()


def test_an_upload_shows_its_progress_and_then_the_document(page: Page, tmp_path: Path) -> None:
    """Without a reload by hand."""
    file = tmp_path / "falls.md"
    file.write_text("# Falls\n\nAssess the risk of falling at admission and after every fall.\n")
    page.goto("/documents")
    page.get_by_label("Files").set_input_files(file)
    page.get_by_role("button", name="Load files").click()
    expect(page.get_by_text("falls.md: received.")).to_be_visible()
    expect(page.get_by_role("link", name="Falls", exact=True)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", name="Loading now")).to_have_count(0)
    page.get_by_role("link", name="Remove Falls").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The document was removed.")).to_be_visible()


def test_everything_works_without_javascript(browser: Browser, site: Site) -> None:
    """Ask, follow a marker, open the source; search; no button that would do nothing."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    context.add_cookies(site.cookies("editor"))
    page = context.new_page()
    ask(page, "How long is a vial good for?")
    expect(page.locator(".lamp-checked")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    page.locator(".lamp-marker").first.click()
    assert page.url.endswith("#source-1")
    page.locator("#source-1").get_by_role("link").click()
    expect(page.locator("mark").first).to_be_in_viewport()
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Words to look for").fill("puncture")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark").first).to_be_visible()
    context.close()


def test_a_citation_far_down_a_page_opens_at_its_words(browser: Browser, site: Site) -> None:
    """Without JavaScript, on a telephone."""
    passage = next(one for one in site.assistant.passages if "| Hands look dirty" in one.text)
    start = passage.text.index("| Hands look dirty")
    context = browser.new_context(
        base_url=site.url,
        java_script_enabled=False,
        viewport={"width": 320, "height": 300},
    )
    context.add_cookies(site.cookies("editor"))
    page = context.new_page()
    page.goto(passage.url.replace("#", f"&from={start}&to={len(passage.text)}#"))
    expect(page.locator("mark").first).to_be_in_viewport()
    expect(page.get_by_role("heading", level=1)).not_to_be_in_viewport()
    context.close()


def test_a_marker_opens_the_fold_that_holds_its_source(page: Page, site: Site) -> None:
    """While an answer is written, the sources after the third are folded away."""
    site.assistant.gate.clear()
    ask(page, "slow and long")
    expect(page.locator("#source-3")).to_be_visible()
    expect(page.locator("#source-4")).to_be_hidden()
    page.evaluate(
        """() => {
            const marker = document.createElement('a');
            Object.assign(marker, {className: 'lamp-marker', href: '#source-4'});
            marker.textContent = '[4]';
            marker.dataset.source = '4';
            document.getElementById('answer-text').append(marker);
        }"""
    )
    page.locator(".lamp-marker").click()
    expect(page.locator("#source-4")).to_be_focused()
    site.assistant.gate.set()
    expect(page.locator(".lamp-checked")).to_be_visible()


def test_marks_show_without_colour(browser: Browser, site: Site) -> None:
    """Forced colours and paper keep an outline or a line under the words."""
    context = browser.new_context(base_url=site.url, forced_colors="active")
    context.add_cookies(site.cookies("editor"))
    page = context.new_page()
    page.goto(site.assistant.passages[0].url)
    style = "(mark) => getComputedStyle(mark).outlineStyle"
    assert page.locator("mark").first.evaluate(style) == "solid"
    context.close()
