"""What is refused before any view sees it, and the headers of every answer."""

import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from web.app import create_app
from web.security import host_name
from web.session_cookie import PLAIN_NAME
from web.static_files import STATIC, static_digest
from web.testing import Site

TEMPLATES = Path(__file__).parents[2] / "web/templates"
HTMX = re.compile(r"\shx-([\w:-]+)")
ASK = {"question": "How long is a vial good for?"}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:8080", "::1"),
        ("LocalHost", "localhost"),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    """Port, brackets and case do not matter."""
    assert host_name(host) == name


@pytest.mark.parametrize("path", ["/", "/api/v1/documents", "/v1/models"])
def test_a_foreign_name_is_refused(client: httpx.Client, path: str) -> None:
    """A DNS rebinding attack arrives under its own name."""
    answer = client.get(path, headers={"Host": "evil.example"})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/ask", "/documents", "/api/v1/ask", "/v1/embeddings"])
def test_a_post_from_another_site_is_refused(
    client: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    """Whatever it would have changed."""
    answer = client.post(path, data=ASK, headers=headers)
    assert answer.status_code == 403


def test_our_own_page_and_a_program_may_post(client: httpx.Client) -> None:
    """The browser says same-origin; a program says nothing."""
    own = {"Sec-Fetch-Site": "same-origin", "Origin": str(client.base_url).rstrip("/")}
    assert client.post("/ask", data=ASK, headers=own).status_code == 303
    assert client.post("/ask", data=ASK).status_code == 303


POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "htmx",
}


def policy_of(answer: httpx.Response) -> dict[str, str]:
    """The content security policy of an answer, by directive."""
    policy = answer.headers["Content-Security-Policy"]
    return {one.partition(" ")[0]: one.partition(" ")[2] for one in policy.split("; ")}


@pytest.mark.parametrize(
    "path", ["/", "/documents", "/nothing", "/welcome/none", "/sign-in", "/readyz", "/v1/models"]
)
def test_csp_1_every_answer_carries_the_policy(client: httpx.Client, path: str) -> None:
    """Nothing but what is named, and scripts by a number of 128 bits alone."""
    policy = policy_of(client.get(path))
    nonce = re.fullmatch(r"'nonce-([\w-]{22})'", policy.pop("script-src"))
    assert nonce is not None
    assert policy == POLICY


@pytest.mark.parametrize("path", ["/", "/documents", "/nothing", "/help", "{welcome}"])
def test_csp_1_the_number_is_that_of_the_pages_scripts_and_new_each_time(
    site: Site, client: httpx.Client, path: str
) -> None:
    """Who has seen one page knows nothing of the next."""
    seen = set()
    for _ in range(2):
        answer = client.get(path.format(welcome=site.welcome))
        numbers = set(re.findall(r'nonce="([^"]*)"', answer.text))
        assert len(re.findall(r"<script ", answer.text)) == 4
        assert policy_of(answer)["script-src"] == f"'nonce-{min(numbers)}'"
        assert len(numbers) == 1
        seen |= numbers
    assert len(seen) == 2


def test_csp_1_an_unforeseen_error_is_a_page_with_the_policy(site: Site) -> None:
    """It is answered outside of the guard."""
    app = create_app(replace(site.platform, sessions=None))  # type: ignore[arg-type]
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        client.cookies.set(PLAIN_NAME, "x")
        answer = client.get("/account")
    assert answer.status_code == 500
    [number] = set(re.findall(r'nonce="([^"]*)"', answer.text))
    assert policy_of(answer)["script-src"] == f"'nonce-{number}'"  # type: ignore[arg-type]


def test_csp_1_a_page_shares_nothing_and_uses_no_feature(client: httpx.Client) -> None:
    """No other origin holds a handle on it, and each named feature is for nobody."""
    headers = client.get("/").headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    features = headers["Permissions-Policy"].split(", ")
    assert {"camera=()", "geolocation=()", "microphone=()", "usb=()"} <= set(features)
    assert all(one.endswith("=()") for one in features)


@pytest.mark.parametrize("path", ["/", "/search", "/documents", "/help", "/nothing", "/readyz"])
def test_every_answer_carries_the_headers(client: httpx.Client, path: str) -> None:
    """Starting from nothing allowed, and never kept."""
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_static_files_are_kept_for_ever_under_their_digest(client: httpx.Client) -> None:
    """The address changes with the content."""
    address = re.search(r'href="([^"]+lamplight.css)"', client.get("/").text)
    assert address is not None
    answer = client.get(address[1])
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/static/other/vendor/lamplight.css").status_code == 404


def test_static_files_lead_nowhere_else(client: httpx.Client) -> None:
    """No path climbs out of the folder."""
    address = re.search(r"/static/\w+", client.get("/").text)
    assert address is not None
    assert client.get(f"{address[0]}/%2e%2e/app.py").status_code == 404


def test_csp_2_no_page_holds_inline_code_and_no_file_names_another_machine() -> None:
    """Templates, stylesheet and our script; the components' licence notes aside."""
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|\sdata-hx|https?://", text), path
        assert not re.search(r"hx-on|\bjs:|javascript:|\|\s*safe\b", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path
        assert not re.search(r'<script(?![^>]* nonce="\{\{ nonce \}\}")', text), path
    css = (STATIC / "vendor/lamplight.css").read_text()
    assert not re.search(r"@font-face|@import|https?://|frutiger", css, re.IGNORECASE)
    assert "http" not in (STATIC / "lamplight.js").read_text()


def test_csp_2_htmx_attributes_come_with_the_number() -> None:
    """Only the macro writes those that ask for something; where it does not, the number stands."""
    for path in TEMPLATES.rglob("*.html"):
        for tag in re.findall(r"<[a-z][^>]*\shx-[^>]*>", path.read_text()):
            has_number = "hx-nonce=" in tag or path.name == "_htmx.html"
            is_inert = tag.startswith("<hx-partial ") or set(HTMX.findall(tag)) == {"ignore"}
            assert has_number or is_inert, (path, tag)


def test_csp_3_scripts_are_ours_under_the_digest_of_the_front_end(client: httpx.Client) -> None:
    """Each has an address that changes with its content, here on this machine."""
    addresses = re.findall(r'<script src="([^"]+)"', client.get("/").text)
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith(f"/static/{static_digest()}/")
        assert client.get(address).status_code == 200


def test_a_body_over_the_limit_is_refused_in_words(client: httpx.Client) -> None:
    """A question of 100 kB, as form and as JSON."""
    long = "x" * 100_000
    page = client.post("/ask", data={"question": long})
    assert page.status_code == 413
    assert "too large" in page.text
    answer = client.post("/api/v1/ask", json={"question": long})
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "too_large")


def test_a_body_without_a_length_is_refused_while_it_is_read(client: httpx.Client) -> None:
    """Chunked, it is counted as it comes."""
    answer = client.post(
        "/api/v1/ask",
        content=(b"x" * 10_000 for _ in range(8)),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413
