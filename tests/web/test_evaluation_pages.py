"""The pages of evaluation: gold questions, runs, comparison, report; walled and in words."""

import json
from contextlib import ExitStack
from itertools import count

import httpx
import pytest

from governance.events import SYSTEM
from governance.gold_drafts import GoldDraft, Place
from web.testing import Site
from web.testing_evaluation import FOUR, VIALS, begin_anew, evaluations, run_done
from web.testing_hands import Hands

QUESTIONS = "/evaluation/questions"
FORM = {
    "question": "How long is an open vial good for?",
    "answerable": "yes",
    "answers": "28 days\nfour weeks",
    "answer_type": "extractive",
    "doc-1": "vials.pdf",
    "evidence-1": "28 days after first puncture",
}


@pytest.fixture
def place(site: Site) -> str:
    """Pharmacy with four gold questions and nothing open."""
    return begin_anew(site, FOUR)


def test_a_gold_question_is_written_changed_and_retired(
    site: Site, editor: httpx.Client, place: str
) -> None:
    """What was typed is kept, and a second place can be added without JavaScript."""
    gold = site.platform.evaluations.gold
    told = editor.post(QUESTIONS, data={"in": place, **FORM})
    assert told.status_code == 303
    assert "was saved" in editor.get(told.headers["location"]).text
    made = next(one for one in gold.listed(place, site.clock()) if "open vial" in one.question)
    assert (made.answers, made.origin) == (("28 days", "four weeks"), "written")
    page = editor.get(f"{QUESTIONS}/{made.id}").text
    assert "28 days after first puncture" in page
    assert 'id="evidence-2"' in page
    changed = {**FORM, "doc-2": "hands.md", "evidence-2": "Alcohol rub"}
    assert editor.post(f"{QUESTIONS}/{made.id}", data=changed).status_code == 303
    assert len(gold.one(place, made.id, site.clock()).places) == 2
    assert editor.post(f"{QUESTIONS}/{made.id}/retire").status_code == 303
    assert not gold.one(place, made.id, site.clock()).is_active
    assert made.question in editor.get(f"{QUESTIONS}?only=retired").text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"question": ""}, "The question is empty."),
        ({"answerable": ""}, "Say whether a policy answers"),
        ({"evidence-1": "words that stand nowhere"}, "These words are not in vials.pdf"),
        ({"doc-1": "", "evidence-1": ""}, "needs the words that answer it"),
    ],
)
def test_what_cannot_be_kept_is_told_and_stays_in_the_form(
    site: Site, editor: httpx.Client, place: str, change: dict[str, str], told: str
) -> None:
    """Nothing that was typed is lost, and nothing is saved."""
    page = editor.post(QUESTIONS, data={"in": place, **FORM, **change})
    assert page.status_code == 422
    assert told in page.text
    assert "four weeks" in page.text
    assert len(site.platform.evaluations.gold.listed(place, site.clock())) == len(FOUR)


def test_a_file_goes_out_and_comes_in_again(site: Site, editor: httpx.Client, place: str) -> None:
    """What was downloaded changes nothing when it is read; one bad line and nothing is read."""
    content = editor.get(f"{QUESTIONS}/download", params={"in": place})
    assert content.headers["content-disposition"].startswith("attachment")
    lines = [json.loads(one) for one in content.text.splitlines()]
    assert {one["id"] for one in lines} == {one.key for one in FOUR}
    sent = {"file": ("gold.jsonl", content.content)}
    told = editor.post(f"{QUESTIONS}/import", data={"in": place}, files=sent)
    assert told.headers["location"].endswith("imported=4")
    assert len(site.platform.evaluations.gold.listed(place, site.clock())) == len(FOUR)
    for bad in (b"", b"{", b"\xff\xfe"):
        refused = editor.post(
            f"{QUESTIONS}/import", data={"in": place}, files={"file": ("bad.jsonl", bad)}
        )
        assert refused.status_code == 422
        assert "There is a problem" in refused.text


def test_the_list_is_searched_and_has_pages(site: Site, editor: httpx.Client, place: str) -> None:
    """Twenty-five a page."""
    many = [{"id": f"m{n}", "question": f"Many {n}?", "answerable": False} for n in range(30)]
    content = "\n".join(json.dumps(one) for one in many).encode()
    editor.post(f"{QUESTIONS}/import", data={"in": place}, files={"file": ("a.jsonl", content)})
    first = editor.get(QUESTIONS, params={"words": "many"}).text
    assert "30 gold questions, page 1 of 2" in first
    assert "Many 9?" not in first
    assert "Many 9?" in editor.get(QUESTIONS, params={"words": "many", "page": "2"}).text
    assert "No gold question fits" in editor.get(QUESTIONS, params={"words": "zebra"}).text


def test_a_run_goes_on_by_reload_and_ends_in_figures(
    site: Site, editor: httpx.Client, place: str
) -> None:
    """Started from the page; each figure with a line that explains it; questions by kind."""
    told = editor.post("/evaluation/runs", data={"in": place})
    address = told.headers["location"]
    assert "0 of 4 questions were asked" in editor.get(address).text
    assert "0 of 4 questions were asked" in editor.get(f"{address}/progress").text
    assert "under way" in editor.get("/evaluation").text
    second = editor.post("/evaluation/runs", data={"in": place})
    assert "Another evaluation of this department is under way" in second.text
    evaluations(site).work(lambda: False)
    page = editor.get(address).text
    assert "Of 100 questions that no policy answers" in page
    assert "Passages of another department" in page
    assert "Right (2)" in page
    wrong = editor.get(address, params={"show": "wrong"}).text
    assert "Who may lend a wheelchair?" in wrong
    assert "When are vials discarded?" not in wrong
    missed = editor.get(address, params={"show": "not_found"}).text
    assert "which rub?" in missed


def test_a_run_is_stopped_from_its_page(site: Site, editor: httpx.Client, place: str) -> None:
    """And cannot become the baseline, nor has it a report."""
    address = editor.post("/evaluation/runs", data={"in": place}).headers["location"]
    assert editor.post(f"{address}/stop").status_code == 303
    assert "Stopped" in editor.get(address).text
    refused = editor.post(f"{address}/baseline")
    assert refused.status_code == 422
    assert "This run is not finished" in refused.text
    assert editor.get(f"{address}/report").status_code == 404


def test_two_runs_are_compared_in_words(site: Site, editor: httpx.Client, place: str) -> None:
    """One that found nothing is worse at what a policy answers, and better at the rest."""
    before = run_done(site)
    after = run_done(site, passages=())
    assert editor.post(f"/evaluation/runs/{before}/baseline").status_code == 303
    query = {"before": before, "after": after}
    page = editor.get("/evaluation/comparison", params=query).text
    assert "<strong>1 became better</strong>" in page
    assert "<strong>1 became worse</strong>" in page
    assert "This may well be chance" not in page
    assert "No run was better than the other" in page
    worse = editor.get("/evaluation/comparison", params={**query, "show": "worse"}).text
    assert "When are vials discarded?" in worse
    assert "wheelchair" not in worse
    other = editor.get("/evaluation/comparison", params={"before": before, "after": "none"})
    assert other.status_code == 404


def test_the_report_opens_and_comes_as_pdf(site: Site, editor: httpx.Client, place: str) -> None:
    """It says a decision, holds its style inside, and may load nothing from anywhere."""
    run = run_done(site)
    told = editor.get(f"/evaluation/runs/{run}/report")
    assert "Report on the pilot of Pharmacy" in told.text
    assert "Passages of another department" in told.text
    policy = told.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    paper = editor.get(f"/evaluation/runs/{run}/report.pdf")
    assert paper.content.startswith(b"%PDF")
    assert "attachment" in paper.headers["content-disposition"]


def test_others_neither_see_nor_do_any_of_it(
    site: Site, editor: httpx.Client, staff: httpx.Client, place: str
) -> None:
    """Staff are told no; to the editor of another department it is not there."""
    run = run_done(site)
    known = site.platform.evaluations.gold.listed(place, site.clock())[0].id
    paths = (f"/evaluation/runs/{run}", f"/evaluation/runs/{run}/report", f"{QUESTIONS}/{known}")
    assert "/evaluation" not in staff.get("/").text
    assert 'href="/evaluation"' in editor.get("/").text
    with site.client("outsider") as outsider:
        for path in paths:
            assert staff.get(path).status_code == 403
            assert outsider.get(path).status_code == 404
        for path in (QUESTIONS, "/evaluation", f"{QUESTIONS}/download", f"{QUESTIONS}/new"):
            assert outsider.get(path, params={"in": place}).status_code in (403, 404)
        assert outsider.post("/evaluation/runs", data={"in": place}).status_code in (403, 404)
        assert outsider.post(QUESTIONS, data={"in": place, **FORM}).status_code in (403, 404)
    assert VIALS.question not in staff.get(QUESTIONS).text


def test_feedback_becomes_a_gold_question_after_review(
    site: Site, editor: httpx.Client, staff: httpx.Client, place: str
) -> None:
    """Its question and the cited policy stand in the form; the words that answer are looked up."""
    asked = {"question": "How long may I keep an open vial?", "department": "Pharmacy"}
    answer = staff.post("/ask", data=asked).headers["location"]
    told = staff.post(f"{answer}/feedback", data={"verdict": "down", "reason": "wrong"})
    assert told.status_code == 303, told.text
    [given] = site.platform.voices.feedback.feedback([place])
    assert "Make a gold question" in editor.get("/feedback").text
    page = editor.get(f"{QUESTIONS}/new", params={"feedback": given.id}).text
    assert asked["question"] in page
    assert '<option value="vials.pdf" selected>' in page
    form = {**FORM, "in": place, "question": asked["question"], "feedback": given.id}
    assert editor.post(QUESTIONS, data=form).status_code == 303
    gold = site.platform.evaluations.gold.listed(place, site.clock())
    assert [one.origin for one in gold if one.question == asked["question"]] == ["feedback"]
    with site.client("outsider") as outsider:
        other = outsider.get(f"{QUESTIONS}/new", params={"feedback": given.id})
        assert other.status_code == 404
        assert asked["question"] not in other.text
    forged = editor.post(QUESTIONS, data={**form, "feedback": "none"})
    assert forged.status_code == 404


def test_a_question_whose_policy_is_gone_is_marked(
    site: Site, editor: httpx.Client, place: str
) -> None:
    """In the list, on the first page and on its own; the list can show these alone."""
    platform = site.platform
    with ExitStack() as stack:
        document_id = Hands(site, stack, count()).document()
    wanted = GoldDraft("Keep it how?", answerable=True, places=(Place("paper.md", "Keep it dry"),))
    [gold_id] = platform.evaluations.gold.save(SYSTEM, place, [wanted], site.clock())
    assert "Check again" not in editor.get(QUESTIONS).text
    platform.publisher.delete(SYSTEM, document_id)
    alone = editor.get(QUESTIONS, params={"only": "check"}).text
    assert "Check again" in alone
    assert VIALS.question not in alone
    assert "1 to check again" in editor.get("/evaluation").text
    assert "has changed or is gone" in editor.get(f"{QUESTIONS}/{gold_id}").text
