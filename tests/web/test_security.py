"""What is refused before any view sees it, and the headers of every answer."""

import re
from pathlib import Path

import httpx
import pytest

from web.security import host_name
from web.static_files import STATIC

TEMPLATES = Path(__file__).parents[2] / "web/templates"
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


def test_no_page_holds_inline_code_and_no_file_names_another_machine() -> None:
    """Templates, stylesheet and our script; the components' licence notes aside."""
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|hx-on|javascript:|https?://", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path
    css = (STATIC / "vendor/lamplight.css").read_text()
    assert not re.search(r"@font-face|@import|https?://|frutiger", css, re.IGNORECASE)
    assert "http" not in (STATIC / "lamplight.js").read_text()


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
