"""Feedback, gaps and abbreviations over HTTP: the way there and back, and who is let in."""

import httpx
import pytest
from sqlalchemy import update

from governance.feedback import FeedbackState
from governance.gaps import GapState
from governance.permissions import Permission
from governance.record.tables import versions
from rag.schema import Answer, AnswerStatus
from web.answer_words import status_words
from web.asked import Asked, Stage
from web.config import WebSettings
from web.pages import Pages
from web.testing import Site


def ask(client: httpx.Client, question: str) -> str:
    """Ask on the page; gives the path of the answer."""
    answer = client.post("/ask", data={"question": question, "department": "Pharmacy"})
    return str(answer.headers["location"])


def test_a_gap_goes_to_the_editors_and_its_answer_comes_back(
    site: Site, staff: httpx.Client, editor: httpx.Client
) -> None:
    """With the policy that answers it, named and linked, on the answer's page and the account's."""
    with site.platform.record.write() as connection:
        owned = update(versions).where(versions.c.document_id == site.hands)
        connection.execute(owned.values(owner="Infection control team"))
    path = ask(staff, "nowhere: when are hands cleaned?")
    page = staff.get(path).text
    assert "Owner: Infection control team" in page
    assert "We searched 2 current policies of Pharmacy" in page
    assert "Report this gap" in page
    assert staff.post(f"{path}/gap", data={"note": "Asked on ward 3"}).status_code == 303
    listed = editor.get("/gaps").text
    assert "nowhere: when are hands cleaned?" in listed
    assert "Asked on ward 3" in listed
    assert "owner: Infection control team" in listed
    gap = site.platform.voices.gaps.of_question(path.rpartition("/")[2])
    assert gap is not None
    settled = editor.post(f"/gaps/{gap.id}", data={"act": "answer", "policy": site.hands})
    assert settled.headers["location"] == "/gaps?done=answered"
    for address in (path, "/account/reports"):
        shown = staff.get(address).text
        assert f"/documents/{site.hands}/versions/1" in shown
        assert "nswered" in shown
    assert "Report this gap" not in staff.get(path).text


def test_a_reply_that_is_missing_is_said_in_the_list(site: Site, editor: httpx.Client) -> None:
    """And nothing changes."""
    path = ask(editor, "nowhere: a question without a reply")
    editor.post(f"{path}/gap")
    gap = site.platform.voices.gaps.of_question(path.rpartition("/")[2])
    assert gap is not None
    answer = editor.post(f"/gaps/{gap.id}", data={"act": "decline", "reply": " "})
    assert answer.status_code == 422
    assert "Say why this is declined." in answer.text
    now = site.platform.voices.gaps.of_question(path.rpartition("/")[2])
    assert now is not None
    assert now.state is GapState.OPEN


def test_a_thumb_down_names_the_cited_policy_and_comes_back(
    site: Site, staff: httpx.Client, editor: httpx.Client
) -> None:
    """Given, seen, fixed; then changed to a thumb up."""
    path = ask(staff, "How long is a vial good for?")
    assert "Did this answer help?" in staff.get(path).text
    fields = {"verdict": "down", "reason": "outdated", "comment": "It is 14 days since May."}
    assert staff.post(f"{path}/feedback", data=fields).status_code == 303
    shown = staff.get(path).text
    assert "You said: it is out of date" in shown
    listed = editor.get("/feedback").text
    assert "It is 14 days since May." in listed
    assert "PH-014 Multi-dose vials" in listed
    given = site.platform.voices.feedback.of_question(path.rpartition("/")[2])
    assert given is not None
    assert site.vials in given.policies
    for state, reply in (("seen", ""), ("fixed", "Version 2 says 14 days.")):
        editor.post(f"/feedback/{given.id}", data={"state": state, "reply": reply})
    assert "Version 2 says 14 days." in staff.get("/account/reports").text
    assert "Version 2 says 14 days." in staff.get(path).text
    staff.post(f"{path}/feedback", data={"verdict": "up"})
    assert "You said: it helped" in staff.get(path).text


def test_what_is_no_feedback_is_refused(staff: httpx.Client) -> None:
    """A thumb down without a reason, or no thumb at all."""
    path = ask(staff, "How long is a vial good for?")
    assert staff.post(f"{path}/feedback", data={"verdict": "down"}).status_code == 422
    assert staff.post(f"{path}/feedback", data={}).status_code == 422
    assert staff.post(f"{path}/gap").status_code == 409


def test_nobody_reports_or_settles_what_is_not_theirs(site: Site, staff: httpx.Client) -> None:
    """Another's answer is not there; another department's reports are not there."""
    with site.client("editor") as editor, site.client("outsider") as outsider:
        path = ask(editor, "How long is a vial good for?")
        assert staff.post(f"{path}/feedback", data={"verdict": "up"}).status_code == 404
        assert staff.post(f"{path}/gap").status_code == 404
        fields = {"verdict": "down", "reason": "other"}
        editor.post(f"{path}/feedback", data=fields)
        given = site.platform.voices.feedback.of_question(path.rpartition("/")[2])
        assert given is not None
        refused = outsider.post(f"/feedback/{given.id}", data={"state": "seen"})
        assert refused.status_code in (403, 404)
        assert staff.post(f"/feedback/{given.id}", data={"state": "seen"}).status_code == 403
        assert staff.get("/feedback").status_code == staff.get("/gaps").status_code == 403
        place = site.platform.policies.department("Catering").id
        assert editor.get(f"/departments/{place}/abbreviations").status_code == 404
        assert editor.post(f"/departments/{place}/abbreviations").status_code == 404
    now = site.platform.voices.feedback.one(given.id, [given.department_id])
    assert now.state is FeedbackState.NEW


def test_abbreviations_are_added_imported_and_removed(site: Site, editor: httpx.Client) -> None:
    """On a page of their own, and searches know them at once."""
    place = site.platform.policies.department("Pharmacy").id
    store, path = site.platform.voices.abbreviations, f"/departments/{place}/abbreviations"
    added = editor.post(path, data={"short": "MDV", "long": "multi-dose vial"})
    assert added.headers["location"] == f"{path}?done=added"
    assert store.of("Pharmacy")["MDV"] == ("multi-dose vial",)
    refused = editor.post(path, data={"short": "mdv", "long": "Multi-dose vial"})
    assert refused.status_code == 422
    assert "is in the list already" in refused.text
    files = {"file": ("list.csv", b"PRN,as needed\nMDV,multi-dose vial\n")}
    done = editor.post(f"{path}/import", files=files)
    assert "1 abbreviation was added" in editor.get(done.headers["location"]).text
    assert editor.post(f"{path}/import").status_code == 422
    for one in store.listed(place):
        assert editor.post(f"{path}/{one.id}/remove").status_code == 303
    assert dict(store.of("Pharmacy")) == {}


def test_a_program_says_what_its_person_thinks(
    site: Site, key: str, stranger: httpx.Client
) -> None:
    """Feedback and gaps of the API, and their refusals."""
    headers = {"Authorization": f"Bearer {key}"}

    def post(path: str, **body: object) -> httpx.Response:
        return stranger.post(f"/api/v1/{path}", json=body, headers=headers)

    asked = post("ask", question="How long is a vial good for?").json()["id"]
    given = post("feedback", question_id=asked, verdict="down", reason="wrong", comment="No.")
    assert given.json() | {"id": ""} == {"id": "", "verdict": "down", "state": "new"}
    assert post("feedback", question_id=asked, verdict="down").status_code == 422
    assert post("feedback", question_id=asked, verdict="sideways").status_code == 422
    assert post("feedback", question_id="nothing", verdict="up").status_code == 404
    assert post("gaps", question_id=asked, question="x").status_code == 409
    lost = post("ask", question="nowhere by a program").json()["id"]
    gap = post("gaps", question_id=lost, question="nowhere by a program").json()
    assert (gap["state"], gap["count"], gap["reply"], gap["document"]) == ("open", 1, None, None)
    paths = stranger.get("/api/openapi.json", headers=headers).json()["paths"]
    assert {"/api/v1/feedback", "/api/v1/gaps"} <= set(paths)


@pytest.mark.parametrize("path", ["feedback", "gaps"])
def test_a_key_that_may_not_ask_reports_nothing(
    site: Site, stranger: httpx.Client, path: str
) -> None:
    """Its scopes decide."""
    key = site.key("editor", [Permission.POLICIES_SEARCH])
    answer = stranger.post(
        f"/api/v1/{path}", json={"question_id": "x"}, headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 403


def test_what_the_guard_says_is_shown_and_announced_and_is_no_gap() -> None:
    """An emergency is told whom to call; nobody is asked to report it."""
    call = "Call 2222 now."
    answer = Answer("a", AnswerStatus.REFUSED, call, (), (), {}, "p", {})
    asked = Asked("a", "x", "he is not breathing", "Pharmacy", 2, Stage.DONE, answer=answer)
    page = Pages(WebSettings(), "0").fragment("ask/_answer.html", asked=asked, may_report=True)
    assert call in page
    assert "We did not find this" not in page
    assert "Report this gap" not in page
    assert status_words(asked) == call
