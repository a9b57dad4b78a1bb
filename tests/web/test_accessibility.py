"""Every state of every page, in a real browser: axe-core's rules, and no sideways scrolling."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from governance.events import SYSTEM
from web.testing import Site

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (tags) => (await axe.run(document, {runOnly: tags})).violations
    .map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' ')}`)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
REPEATED_IDS = """() => [...document.querySelectorAll('[id]')].map((one) => one.id)
    .filter((id, at, all) => all.indexOf(id) !== at)"""

State = Callable[[Page, Site], None]


def ask(question: str) -> State:
    """The answer page after this question."""

    def reach(page: Page, site: Site) -> None:
        site.assistant.gate.set()
        page.goto("/")
        page.get_by_label("Your question").fill(question)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("#answer[aria-busy=false] h2").first).to_be_visible()

    return reach


def ask_and_wait(page: Page, site: Site) -> None:
    """The page while the passages are being read."""
    site.assistant.gate.clear()
    page.goto("/")
    page.get_by_label("Your question").fill("slow")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#source-1")).to_be_visible()


def ask_nothing(page: Page, _site: Site) -> None:
    """The page that refuses an empty question."""
    page.goto("/")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def go(path: str) -> State:
    """The page at this address."""
    return lambda page, _site: page.goto(path) and None


def view(page: Page, site: Site) -> None:
    """The viewer at a quoted passage of a PDF."""
    page.goto(site.assistant.passages[0].url.replace("#", "&from=0&to=61#"))


def view_text(page: Page, site: Site) -> None:
    """The viewer of a file without pages."""
    page.goto(f"/documents/{site.hands}/versions/1")


def view_found(page: Page, site: Site) -> None:
    """The viewer at the second of several places with some words."""
    page.goto(f"/documents/{site.vials}/versions/1?find=vial&at=2#p1")


def find_nothing(page: Page, site: Site) -> None:
    """The viewer after words that the document does not have."""
    page.goto(f"/documents/{site.hands}/versions/1?find=zebra")


def print_pages(page: Page, site: Site) -> None:
    """What comes out on paper, before it does."""
    page.goto(f"/documents/{site.vials}/versions/1/print?as=pictures")


def remove(page: Page, site: Site) -> None:
    """The question before a document is removed."""
    page.goto(f"/documents/{site.hands}/delete")


def review(page: Page, site: Site) -> None:
    """The review of a version in force, which an editor can only look at."""
    page.goto(f"/documents/{site.vials}/versions/1/review")


def upload_nothing(page: Page, _site: Site) -> None:
    """The documents page after an upload without a file."""
    page.goto("/documents")
    page.get_by_role("button", name="Load files").click()


def sign_in_refused(page: Page, _site: Site) -> None:
    """The sign-in page after a wrong password."""
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_label("User name").fill("nobody-here")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def go_signed_out(path: str) -> State:
    """The page at this address, for who is not signed in."""

    def reach(page: Page, _site: Site) -> None:
        page.context.clear_cookies()
        page.goto(path)

    return reach


def welcome(page: Page, site: Site) -> None:
    """What the link for the first administrator leads to."""
    page.goto(site.welcome)


def welcome_refused(page: Page, site: Site) -> None:
    """The same after two passwords that differ."""
    page.goto(site.welcome)
    page.get_by_label("Password", exact=True).fill("one")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def set_password(page: Page, site: Site) -> None:
    """What a link for a password leads to."""
    ticket = site.platform.tickets.issue_password(SYSTEM, site.people["staff"])
    page.goto(f"/set-password/{ticket}")


def locked(page: Page, _site: Site) -> None:
    """The page of a session that was locked by its button."""
    page.goto("/documents")
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()


def no_role(page: Page, site: Site) -> None:
    """The first page of somebody without a role."""
    page.context.add_cookies(site.cookies("nobody"))
    page.goto("/")


def account(page: Page, site: Site) -> None:
    """The account of somebody with a key and two sessions."""
    site.key("editor")
    site.session("editor")
    page.goto("/account")


def key_made(page: Page, _site: Site) -> None:
    """The page that shows a new key."""
    page.goto("/account/keys/new")
    page.get_by_label("Name of the key").fill("Handbook")
    page.get_by_label("Ask and search").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#key")).to_be_visible()


def key_refused(page: Page, _site: Site) -> None:
    """The form for a key without a use."""
    page.goto("/account/keys/new")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()


def session_ending(page: Page, _site: Site) -> None:
    """The warning before a session ends."""
    page.clock.install()
    page.goto("/help")
    page.clock.fast_forward(14 * 60_000)
    expect(page.get_by_role("button", name="Stay signed in")).to_be_visible()


STATES: dict[str, State] = {
    "first": go("/"),
    "reading": ask_and_wait,
    "answered": ask("How long is a vial good for?"),
    "not found": ask("nowhere"),
    "runtime down": ask("silent"),
    "cut short": ask("broken"),
    "empty question": ask_nothing,
    "answer gone": go("/ask/none"),
    "search": go("/search?q=vial"),
    "search failed": go("/search?q=silent"),
    "documents": go("/documents"),
    "documents narrowed": go("/documents?words=vial&review=overdue&letter=M"),
    "no document fits": go("/documents?words=zebra"),
    "upload refused": upload_nothing,
    "remove": remove,
    "review": go("/review"),
    "review of a version": review,
    "viewer": view,
    "viewer of text": view_text,
    "viewer of found words": view_found,
    "viewer without the words": find_nothing,
    "print": print_pages,
    "help": go("/help"),
    "sign in": go_signed_out("/sign-in"),
    "signed out by time": go_signed_out("/sign-in?ended=1"),
    "sign in refused": sign_in_refused,
    "welcome": welcome,
    "welcome refused": welcome_refused,
    "set password": set_password,
    "link used": go("/set-password/none"),
    "locked": locked,
    "no role": no_role,
    "not allowed": go("/audit"),
    "account": account,
    "new key": go("/account/keys/new"),
    "key made": key_made,
    "key refused": key_refused,
    "change password": go("/account/password"),
    "session ending": session_ending,
}


@pytest.mark.parametrize("name", STATES)
def test_a_page_state_breaks_no_rule_and_fits_a_narrow_window(
    page: Page, site: Site, name: str
) -> None:
    """At 1280 pixels, and at 320 as with 400 % zoom; no id stands twice."""
    STATES[name](page, site)
    page.evaluate(AXE.read_text())
    assert page.evaluate(RUN_AXE, TAGS) == []
    assert page.evaluate(REPEATED_IDS) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(RUN_AXE, TAGS) == []
    site.assistant.gate.set()
