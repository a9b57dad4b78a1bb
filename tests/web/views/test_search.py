"""Search without AI."""

import httpx


def test_passages_are_shown_with_their_words_marked(client: httpx.Client) -> None:
    """And lead to the viewer."""
    page = client.get("/search", params={"q": "vial"}).text
    assert "<mark>vials</mark>" in page
    assert "4 passages found" in page
    assert "/documents/" in page


def test_an_empty_search_is_only_a_form(client: httpx.Client) -> None:
    """Nothing is searched."""
    assert "found" not in client.get("/search").text


def test_a_search_that_fails_says_why(client: httpx.Client) -> None:
    """At the field, in words."""
    page = client.get("/search", params={"q": "silent"})
    assert page.status_code == 503
    assert "does not answer" in page.text
    long = client.get("/search", params={"q": "x" * 2500})
    assert long.status_code == 413
