"""What a browser does with elements that somebody smuggled into a page (CSP-1, CSP-2)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from web.testing import Site, faults_of

pytestmark = pytest.mark.browser

# As an answer of the server would be: htmx itself makes elements of this text.
SWAP = """([target, text]) => htmx.swap({
    target: document.querySelector(target), swap: 'beforeend', text,
    sourceElement: document.body}).catch((error) => error.name)"""
ATTRIBUTES = "(one) => one.getAttributeNames().filter((name) => name.includes('hx-'))"


@pytest.fixture
def visited(browser: Browser, site: Site) -> Iterator[Page]:
    """The first page; faults are what these tests want."""
    context = browser.new_context(base_url=site.url)
    context.add_cookies(site.cookies("editor"))
    page = context.new_page()
    page.goto("/")
    expect(page.locator("body.js-enabled")).to_be_visible()
    yield page
    context.close()


@pytest.mark.parametrize("number", ["", ' hx-nonce="guessed"'])
@pytest.mark.parametrize("prefix", ["hx-", "data-hx-"])
def test_csp_2_an_injected_button_asks_nothing(visited: Page, prefix: str, number: str) -> None:
    """Its attributes are stripped, so htmx sends nothing when it is pressed."""
    asked: list[str] = []
    visited.on("request", lambda request: asked.append(request.url))
    button = f'<button id="bad" type="button" {prefix}get="/help" {number}>Press</button>'
    visited.evaluate(SWAP, ["#ask-status", button])
    visited.locator("#bad").click()
    assert visited.locator("#bad").evaluate(ATTRIBUTES) == []
    assert asked == []


def test_csp_2_nothing_in_an_answer_is_obeyed(visited: Page) -> None:
    """Not even with the right number: where a model speaks, htmx does not listen."""
    asked: list[str] = []
    visited.on("request", lambda request: asked.append(request.url))
    number = visited.evaluate("document.querySelector('script[nonce]').nonce")
    button = f'<button id="bad" type="button" hx-get="/help" hx-nonce="{number}">Press</button>'
    visited.evaluate(SWAP, ["#answer", button])
    visited.locator("#bad").click()
    assert asked == []


def test_csp_1_a_page_makes_no_elements_of_text(visited: Page) -> None:
    """Except through htmx: assigning it is a fault, and nothing of it is there."""
    bad = "document.getElementById('answer').innerHTML = '<b id=bad>x</b>'"
    fault = visited.evaluate(f"() => {{ try {{ {bad} }} catch (error) {{ return error.name }} }}")
    assert fault == "TypeError"
    assert visited.locator("#bad").count() == 0
    policy = "() => { try { trustedTypes.createPolicy('own', {}) } catch (e) { return e.name } }"
    assert visited.evaluate(policy) == "TypeError"


@pytest.mark.parametrize(
    "text",
    [
        '<img src="/none.png" onerror="window.owned = 1">',
        "<script>window.owned = 1</script>",
        '<script nonce="guessed">window.owned = 1</script>',
        '<script src="/static/none.js"></script>',
        '<a id="bad" href="javascript:window.owned = 1">x</a>',
    ],
)
def test_csp_1_injected_code_does_not_run(visited: Page, text: str) -> None:
    """Neither a handler nor a script nor an address; the browser names the violation."""
    faults = faults_of(visited)
    visited.reload()
    expect(visited.locator("body.js-enabled")).to_be_visible()
    visited.evaluate(SWAP, ["#ask-status", text])
    if "id=" in text:
        visited.locator("#bad").click()
    expect(visited.locator("body")).to_be_visible()
    assert visited.evaluate("window.owned") is None
    visited.wait_for_function("() => true")
    kinds = ("policy violated: script-src", "policy violated: require-trusted-types-for")
    assert [one for one in faults if one.startswith(kinds)] != []
