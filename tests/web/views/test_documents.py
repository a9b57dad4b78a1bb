"""The documents page, by plain forms."""

import re
import time

import httpx
import pytest

from web.testing import Site

RESTRAINTS = b"# Restraints\n\nRestraints need an order and are checked every two hours.\n"


def posted(client: httpx.Client, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
    """What the page shows after an upload."""
    answer = client.post(
        "/documents",
        files=[("file", file) for file in files],
        data={"department": "Pharmacy", **fields},
    )
    assert answer.status_code == 303
    return client.get(answer.headers["Location"])


def settle(client: httpx.Client) -> str:
    """The progress fragment once nothing is open."""
    for _ in range(600):
        text = client.get("/documents/progress?open=0").text
        if "hx-trigger" not in text:
            return text
        time.sleep(0.05)
    raise AssertionError(text)


def test_an_upload_says_what_became_of_each_file(site: Site, client: httpx.Client) -> None:
    """Received, already loaded, and not loaded, side by side."""
    page = posted(client, ("restraints.md", RESTRAINTS), ("empty.md", b"")).text
    assert "restraints.md: received." in page
    assert "empty.md: not loaded." in page
    settle(client)
    again = posted(client, ("copy of restraints.md", RESTRAINTS)).text
    assert "already loaded" in again
    assert ">Restraints</a>" in again

    found = re.search(r'/documents/([0-9a-f-]+)/delete">Remove<span[^>]*> Restraints', again)
    assert found is not None
    confirm = client.get(f"/documents/{found[1]}/delete").text
    assert "Remove this document?" in confirm
    assert site.platform.policies.document(found[1])
    gone = client.post(f"/documents/{found[1]}/delete")
    assert gone.status_code == 303
    page = client.get(gone.headers["Location"]).text
    assert "The document was removed." in page
    assert "Restraints</a>" not in page


def test_a_file_that_cannot_be_read_is_listed_with_its_reason(client: httpx.Client) -> None:
    """Until it is taken off the list."""
    posted(client, ("broken.pdf", b"%PDF-1.7\nnothing of a PDF follows"))
    fragment = settle(client)
    assert "Could not be loaded" in fragment
    assert "broken.pdf" in fragment
    address = re.search(r'action="(/documents/jobs/[0-9a-f-]+/forget)"', fragment)
    assert address is not None
    assert client.post(address[1]).status_code == 303
    assert "broken.pdf" not in client.get("/documents").text


@pytest.mark.parametrize(
    ("files", "fields", "status", "words"),
    [
        ([], {}, 422, "No file was chosen."),
        ([("file", ("a.md", b"x"))], {"department": "Nobody"}, 404, "There is no department"),
        ([("file", ("a.md", b"x"))], {"new_department": "x" * 90}, 422, "cannot be the name"),
    ],
)
def test_a_form_that_lacks_something_is_shown_again(
    administrator: httpx.Client,
    files: list[tuple[str, tuple[str, bytes]]],
    fields: dict[str, str],
    status: int,
    words: str,
) -> None:
    """With a summary of the problem."""
    page = administrator.post("/documents", files=files or None, data={"x": "y", **fields})
    assert page.status_code == status
    assert "There is a problem" in page.text
    assert words in page.text


def test_the_table_comes_with_the_progress_only_when_it_changed(client: httpx.Client) -> None:
    """A poll that sees nothing new stays small."""
    settle(client)
    assert "<table" not in client.get("/documents/progress?open=0").text
    assert "<table" in client.get("/documents/progress?open=1").text


def test_an_unknown_document_is_not_found(client: httpx.Client) -> None:
    """As a page, with a way on."""
    page = client.get("/documents/none/delete")
    assert page.status_code == 404
    assert "<h1" in page.text


def test_the_library_is_narrowed_by_address(site: Site, client: httpx.Client) -> None:
    """By words, review and letter, without a script; another department's name narrows nothing."""
    assert ">Hand hygiene</a>" in client.get("/documents").text
    narrowed = client.get("/documents?words=ph-014&review=overdue").text
    assert "1 document" in narrowed
    assert "Overdue" in narrowed
    assert ">Hand hygiene</a>" not in narrowed
    assert 'href="/documents"' in narrowed
    assert "No document fits" in client.get("/documents?letter=Z").text
    assert ">Hand hygiene</a>" in client.get("/documents?in=Catering&page=x&order=y").text


def test_staff_find_only_what_is_in_force_in_the_library(
    site: Site, staff: httpx.Client, client: httpx.Client
) -> None:
    """No state to choose, no way to a review."""
    posted(client, ("draft.md", b"# Not yet\n\nThis is not in force yet.\n"))
    settle(client)
    assert "Not yet" in client.get("/documents").text
    page = staff.get("/documents").text
    assert "Not yet" not in page
    assert "/review" not in page
