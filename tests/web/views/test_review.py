"""The pages of review: everything works without JavaScript, and a refusal keeps what was typed."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import httpx
import pytest

from web.testing import Site
from web.testing_hands import Hands

# Each thing that is made has another number, and so another text.
NUMBERS = count(700)
REVIEW = "/documents/{}/versions/1/review"


@pytest.fixture
def hands(site: Site) -> Iterator[Hands]:
    with ExitStack() as stack:
        yield Hands(site, stack, NUMBERS)


@pytest.fixture
def approver(site: Site) -> Iterator[httpx.Client]:
    with site.client("approver") as client:
        yield client


def do(client: httpx.Client, document_id: str, act: str, **form: str) -> httpx.Response:
    """Press a button."""
    return client.post(REVIEW.format(document_id) + "/act", data={"act": act, **form})


def test_a_draft_is_submitted_and_approved_and_in_force(
    hands: Hands, editor: httpx.Client, approver: httpx.Client
) -> None:
    """Each page offers what its reader may do, and says what was done."""
    document_id = hands.draft()
    page = editor.get(REVIEW.format(document_id)).text
    assert "Submit for approval" in page
    assert ">Approve<" not in page
    done = do(editor, document_id, "submit")
    assert done.status_code == 303
    assert "It is submitted." in editor.get(done.headers["Location"]).text
    assert "It waits for you or another approver." in approver.get(REVIEW.format(document_id)).text
    assert do(approver, document_id, "approve").status_code == 303
    page = approver.get(REVIEW.format(document_id)).text
    assert "In force" in page
    assert "approved it" in page


def test_a_refusal_is_said_where_it_happened(hands: Hands, approver: httpx.Client) -> None:
    """Without a reason nothing is retired; what was typed is still there."""
    document_id = hands.document()
    refused = do(approver, document_id, "retire", reason="  ")
    assert refused.status_code == 409
    assert "This needs a reason." in refused.text
    assert "Retire this policy" in refused.text


def test_what_is_stated_is_saved_or_refused_whole(hands: Hands, editor: httpx.Client) -> None:
    """A bad date changes nothing; its field is named and keeps what was typed."""
    document_id = hands.draft()
    path = REVIEW.format(document_id)
    bad = editor.post(f"{path}/fields", data={"owner": "Wards", "review_due": "31/02/2027"})
    assert bad.status_code == 422
    assert "Next review is not a date" in bad.text
    assert 'value="31/02/2027"' in bad.text
    assert "Wards" not in editor.get(path).text
    good = {"title": "Keep it dry", "owner": "Wards", "review_due": "2027-02-28"}
    assert editor.post(f"{path}/fields", data=good).status_code == 303
    assert 'value="Wards"' in editor.get(path).text


def test_the_queue_leads_to_what_waits(hands: Hands, editor: httpx.Client) -> None:
    """Drafts of the department, each with who handed it in."""
    document_id = hands.draft()
    page = editor.get("/review").text
    assert f'href="/documents/{document_id}/versions/1/review"' in page
    assert "Handed in by Lamplight itself" in page


@pytest.mark.parametrize("who", ["staff", "outsider"])
def test_who_may_not_see_drafts_sees_no_review(site: Site, hands: Hands, who: str) -> None:
    """Not even of a policy in force."""
    document_id = hands.document()
    with site.client(who) as client:
        assert client.get(REVIEW.format(document_id)).status_code in (403, 404)


def test_a_refused_file_has_a_button_to_try_again(hands: Hands, editor: httpx.Client) -> None:
    """Beside the one that takes it off the list."""
    job_id = hands.refused_job()
    assert f'action="/documents/jobs/{job_id}/retry"' in editor.get("/documents").text
    assert editor.post(f"/documents/jobs/{job_id}/retry").status_code == 303
    hands.settle()
    assert editor.get(f"/api/v1/jobs/{job_id}").status_code == 404
