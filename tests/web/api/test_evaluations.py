"""Gold questions and evaluations as JSON: kept, asked, stopped, gone on with, compared, walled."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from governance.errors import ModelNotApproved
from governance.evaluation_runs import Run
from governance.events import SYSTEM
from governance.record.use_tables import questions, usage
from web.testing import Site
from web.testing_evaluation import evaluations

GOLD = "/api/v1/gold-questions"
RUNS = "/api/v1/evaluations"
KNOWN: dict[str, Any] = {
    "id": "vials",
    "question": "When are vials discarded?",
    "answerable": True,
    "answers": ["28 days"],
    "gold": [{"doc": "vials.pdf", "evidence": "28 days"}],
}
UNKNOWN = {"id": "none", "question": "This stands nowhere, or does it?", "answerable": False}


@pytest.fixture
def gold(site: Site, editor: httpx.Client) -> Iterator[httpx.Client]:
    """An editor whose department has these two questions alone, and no open run."""
    parts, place = site.platform.evaluations, site.platform.policies.department("Pharmacy")

    def clear() -> None:
        for run in parts.runs.open_runs():
            parts.runs.stop(SYSTEM, run.id, site.clock())
        for one in parts.gold.listed(place.id, site.clock()):
            parts.gold.retire(SYSTEM, place.id, one.id, site.clock())

    clear()
    assert editor.post(GOLD, json={"questions": [KNOWN, UNKNOWN]}).status_code == 201
    yield editor
    clear()


def worker(
    site: Site, admit: Callable[[Run], None] = lambda run: None
) -> Callable[[Callable[[], bool]], None]:
    """What works through runs, with the passages of the site."""
    return evaluations(site, admit=admit).work


def counted(site: Site) -> list[int]:
    """How many questions people asked, and how many charges there are."""
    with site.platform.record.read() as connection:
        return [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (questions, usage)
        ]


def start(client: httpx.Client) -> str:
    """A run with a model that is installed."""
    told = client.post(RUNS, json={"chat_model": "chat"})
    assert told.status_code == 202, told.text
    return str(told.json()["id"])


def test_a_run_is_started_worked_through_and_compared(site: Site, gold: httpx.Client) -> None:
    """Its figures, its questions with what came back, and nothing that differs from the next."""
    first = start(gold)
    assert gold.post(RUNS, json={"chat_model": "chat"}).status_code == 422
    worker(site)(lambda: False)
    told = gold.get(f"{RUNS}/{first}").json()
    assert (told["state"], told["done"], told["total"]) == ("done", 2, 2)
    assert told["configuration"]["chat_model"] == "chat"
    assert told["model_digests"]["chat"] == "a" * 64
    by_id = {one["id"]: one for one in told["items"]}
    assert by_id["vials"]["status"] == "answered"
    assert any(one["is_hit"] for one in by_id["vials"]["cited"])
    assert by_id["none"]["status"] == "not_found"
    assert told["figures"]["abstention"]["f1"] == 1.0
    assert told["figures"]["safety"] == {
        "wrong_version_rate": 0.0,
        "leak_rate": 0.0,
        "failed_rate": 0.0,
    }
    second = start(gold)
    worker(site)(lambda: False)
    assert gold.post(f"{RUNS}/{first}/baseline").json()["is_baseline"]
    both = gold.get(f"{RUNS}/{first}/comparison/{second}").json()
    assert (both["better"], both["worse"], both["same"], both["p"]) == (0, 0, 2, 1.0)
    assert both["differences"]["answers"]["f1"] == 0.0


def test_a_run_goes_on_where_it_was_cut_off(site: Site, gold: httpx.Client) -> None:
    """What was asked before is not asked again."""
    run = start(gold)
    looks = iter([False, False, True])
    worker(site)(lambda: next(looks, True))
    told = gold.get(f"{RUNS}/{run}").json()
    assert (told["state"], told["done"]) == ("running", 1)
    answered_at = site.platform.evaluations.runs.items(run)[0].asked_at
    worker(site)(lambda: False)
    assert gold.get(f"{RUNS}/{run}").json()["state"] == "done"
    assert site.platform.evaluations.runs.items(run)[0].asked_at == answered_at


def test_a_run_that_another_process_works_through_is_left_to_it(
    site: Site, gold: httpx.Client
) -> None:
    """Nothing is asked while it has its turn; one whose turn is lost notes nothing more."""
    run = start(gold)
    evaluations(site, turn_of=lambda _: nullcontext(None)).work(lambda: False)
    assert gold.get(f"{RUNS}/{run}").json()["state"] == "queued"
    looks = iter([True, True, True, False])
    evaluations(site, turn_of=lambda _: nullcontext(lambda: next(looks, False))).work(lambda: False)
    assert gold.get(f"{RUNS}/{run}").json()["done"] == 1
    evaluations(site).work(lambda: False)
    assert gold.get(f"{RUNS}/{run}").json()["state"] == "done"


def test_a_run_ends_where_its_model_may_not_work(site: Site, gold: httpx.Client) -> None:
    """And says why; a run that was stopped is not gone on with."""

    def refuse(_run: Run) -> None:
        raise ModelNotApproved("The model may not be used here.", "Propose it.")

    run = start(gold)
    worker(site, refuse)(lambda: False)
    told = gold.get(f"{RUNS}/{run}").json()
    assert (told["state"], told["problem"]) == ("failed", "The model may not be used here.")
    stopped = start(gold)
    assert gold.post(f"{RUNS}/{stopped}/stop").json()["state"] == "stopped"
    worker(site)(lambda: False)
    assert gold.get(f"{RUNS}/{stopped}").json()["done"] == 0


def test_a_run_that_breaks_ends_and_is_not_begun_again(site: Site, gold: httpx.Client) -> None:
    """An error of ours is told in words, and the next look finds nothing to do."""
    run = start(gold)

    def breaks(_run: Run) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        worker(site, breaks)(lambda: False)
    told = gold.get(f"{RUNS}/{run}").json()
    assert told["state"] == "failed"
    assert "ended in an error" in told["problem"]
    worker(site, breaks)(lambda: False)


def test_evaluations_are_not_counted_as_peoples_questions(site: Site, gold: httpx.Client) -> None:
    """No question is recorded and nothing is charged."""
    before = counted(site)
    start(gold)
    worker(site)(lambda: False)
    assert counted(site) == before


@pytest.mark.parametrize(
    "change",
    [
        {"gold": [{"doc": "vials.pdf", "evidence": "words that stand in no policy"}]},
        {"gold": [{"doc": "menus.md", "evidence": "soup"}]},
        {"gold": []},
        {"answer_type": "song"},
    ],
)
def test_evidence_must_stand_in_a_policy_in_force_of_the_department(
    gold: httpx.Client, change: dict[str, Any]
) -> None:
    """A clear refusal, and nothing is kept."""
    told = gold.post(GOLD, json={"questions": [{**KNOWN, "id": "new", **change}]})
    assert told.status_code == 422
    assert len(gold.get(GOLD).json()["questions"]) == 2


def test_others_neither_read_nor_change_them(
    site: Site, gold: httpx.Client, staff: httpx.Client
) -> None:
    """Staff have no such right; for another department it is not there."""
    run = start(gold)
    question = gold.get(GOLD).json()["questions"][0]["question_id"]
    assert staff.get(GOLD).status_code == 403
    assert staff.get(f"{RUNS}/{run}").status_code == 403
    assert staff.post(RUNS, json={}).status_code == 403
    with site.client("outsider") as outsider:
        assert outsider.get(f"{RUNS}/{run}").status_code in (403, 404)
        assert outsider.delete(f"{GOLD}/{question}").status_code in (403, 404)


def test_a_model_that_is_not_there_is_refused(gold: httpx.Client) -> None:
    """Before anything is queued."""
    told = gold.post(RUNS, json={"chat_model": "nobody"})
    assert told.status_code == 422
    assert "nobody" in told.text
