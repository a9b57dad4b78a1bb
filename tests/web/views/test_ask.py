"""The question page without JavaScript, and its stream as htmx reads it."""

import re

import httpx
import pytest

from web.testing import Site

HTMX = {"HX-Request": "true"}
# Another one in each answer.
NONCE = re.compile(r'nonce="[^"]+"')


def asked(client: httpx.Client, question: str) -> httpx.Response:
    """The page that a plain form post leads to."""
    answer = client.post("/ask", data={"question": question})
    assert answer.status_code == 303
    return client.get(answer.headers["Location"])


def test_the_first_page_asks_one_question(client: httpx.Client) -> None:
    """One department needs no choice; a link may bring the question along."""
    page = client.get("/", params={"q": "How long <b>?"}).text
    assert "Do not enter patient names or numbers." in page
    assert "How long &lt;b&gt;?" in page
    assert 'name="department"' not in page
    assert "2 current policies" in page


def test_an_answer_comes_without_javascript(client: httpx.Client) -> None:
    """Post, redirect, and a whole page that can be reloaded."""
    page = asked(client, "How long is a vial good for?")
    assert page.status_code == 200
    assert 'href="#source-1"' in page.text
    assert "<blockquote>" in page.text
    assert "From 2 current policies." in page.text
    assert "Review overdue since 12 June 2026" in page.text
    assert "1 sentence was left out because no policy supports it." in page.text
    assert "About 8 of 10 answers as sure as this one were right" in page.text
    again = client.get(page.url).text
    assert NONCE.sub("", again) == NONCE.sub("", page.text)


def test_not_found_shows_no_written_text(client: httpx.Client) -> None:
    """Only what may be related, and the way to search."""
    page = asked(client, "nowhere").text
    assert "We did not find this in the current policies" in page
    assert "The nearest policies" in page
    assert "/search?q=nowhere" in page
    assert 'id="answer-text"' not in page


def test_a_runtime_that_is_down_leaves_the_search(client: httpx.Client) -> None:
    """In clear words, with what was found."""
    page = asked(client, "silent").text
    assert "There is no answer this time" in page
    assert "does not answer" in page
    assert "What the search found" in page


def test_a_broken_answer_keeps_what_was_checked(client: httpx.Client) -> None:
    """And says that it is not whole."""
    page = asked(client, "broken").text
    assert "The answer was cut short" in page
    assert 'href="#source-1"' in page
    assert "Ask again" in page


@pytest.mark.parametrize(("question", "status"), [("   ", 422), ("x" * 2001, 413)])
def test_a_bad_question_is_shown_at_its_field(
    client: httpx.Client, question: str, status: int
) -> None:
    """With the summary on top, and the question kept."""
    page = client.post("/ask", data={"question": question})
    assert page.status_code == status
    assert "<title>Error: " in page.text
    assert "There is a problem" in page.text
    assert 'href="#question"' in page.text


def test_an_answer_that_is_gone_says_so(client: httpx.Client) -> None:
    """With a way on."""
    page = client.get("/ask/none")
    assert page.status_code == 404
    assert "not kept any more" in page.text


def test_the_stream_shows_sources_first_and_ends_with_done(client: httpx.Client) -> None:
    """Each message is a whole step; the status line changes once per stage."""
    answer = client.post("/ask", data={"question": "How long?"}, headers=HTMX)
    assert re.fullmatch(r"/ask/[0-9a-f]{32}", answer.headers["HX-Push-Url"])
    messages = answer.text.strip().split("\n\n")
    assert messages[-1] == "event: done\ndata:"
    assert 'id="source-1"' in messages[1]
    assert 'class="lamp-marker"' not in messages[1]
    announced = re.findall(r'hx-target="#ask-status"[^>]*><span[^>]*>([^<]+)', answer.text)
    assert announced == [
        "Searching 2 current policies",
        "Found 4 passages, reading",
        "Writing",
        "Answer ready, with 2 sources",
    ]
    assert 'aria-busy="true"' in messages[0]
    assert 'aria-busy="false"' in messages[-2]
    assert "<blockquote>" in client.get(answer.headers["HX-Push-Url"]).text


def test_a_reader_who_leaves_stops_the_model(site: Site, client: httpx.Client) -> None:
    """And finds the question again, with a button to ask it once more."""
    question = "slow one that is left"
    site.assistant.gate.clear()
    with client.stream("POST", "/ask", data={"question": question}, headers=HTMX) as answer:
        address = answer.headers["HX-Push-Url"]
        next(answer.iter_bytes())
    for _ in range(200):
        page = client.get(address).text
        if question in site.assistant.stopped:
            break
    assert question in site.assistant.stopped
    assert "The answer was cut short" in page
    assert question in page


def test_a_question_that_is_refused_replaces_the_page_under_htmx(client: httpx.Client) -> None:
    """Its words concern the form, not the answer."""
    answer = client.post("/ask", data={"question": ""}, headers=HTMX)
    assert answer.headers["HX-Retarget"] == "#maincontent"
    assert "text/html" in answer.headers["Content-Type"]
