"""The gate is applied: to pages, programs and MCP alike; search and evaluations go on."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from governance.evaluation_gates import GateMode
from governance.events import SYSTEM
from lamplight.evaluating import tell_gates
from web.testing import Site
from web.testing_evaluation import FOUR, begin_anew, run_done

PAUSED = "Answers are paused"
ASK = {"question": "How long are vials kept?", "department": "Pharmacy"}


@pytest.fixture
def place(site: Site) -> str:
    """Pharmacy with four gold questions, its gate closed to what no run was made of."""
    place = begin_anew(site, FOUR)
    # A new file of the model: what earlier tests ran says nothing of it.
    models = site.platform.evaluations.known.models  # type: ignore[attr-defined]
    models["chat"] = replace(models["chat"], digest=sha256(uuid4().bytes).hexdigest())
    gates, now = site.platform.evaluations.gates, site.clock()
    gates.end_override(SYSTEM, place, now)
    gates.change(SYSTEM, place, GateMode.BLOCK, {"failed": 0.0}, {"contains": 0.05}, now)
    return place


def asks(site: Site, who: str = "staff") -> list[httpx.Response]:
    """The same question by every way there is."""
    with site.client(who) as client:
        page = client.post("/ask", data=ASK, follow_redirects=True)
        api = client.post("/api/v1/ask", json=ASK)
        chat = {"model": "policies:Pharmacy", "messages": [{"role": "user", "content": "Why?"}]}
        standard = client.post("/v1/chat/completions", json=chat)
    return [page, api, standard]


def test_no_question_is_answered_until_a_run_passes(
    site: Site, editor: httpx.Client, staff: httpx.Client, place: str
) -> None:
    """Refused in words by every way; search, and the run itself, go on."""
    for told in asks(site):
        assert told.status_code == 503
        assert PAUSED in told.text
    assert staff.get("/search", params={"q": "vials"}).status_code == 200
    assert PAUSED in editor.get("/evaluation").text
    run_done(site)
    assert [one.status_code for one in asks(site)] == [200, 200, 200]
    assert "has passed its evaluation" in editor.get("/evaluation").text


def test_another_configuration_or_another_model_file_does_not_pass(site: Site, place: str) -> None:
    """A run of another model counts for nothing; neither does one of files since replaced."""
    parts, now = site.platform.evaluations, site.clock()
    run_done(site)
    assert parts.decision(place, now).standing == "passed"
    models = parts.known.models  # type: ignore[attr-defined]
    chat = models["chat"]
    models["chat"] = models["brought"]
    try:
        assert parts.decision(place, now).standing == "paused"
    finally:
        models["chat"] = chat


def test_a_drop_below_the_baseline_pauses_answers(
    site: Site, editor: httpx.Client, place: str
) -> None:
    """The page names the figure; the baseline itself passes."""
    parts = site.platform.evaluations
    parts.runs.make_baseline(SYSTEM, run_done(site))
    assert parts.decision(place, site.clock()).standing == "passed"
    run_done(site, passages=())
    page = editor.get("/evaluation/gate", params={"in": place}).text
    assert PAUSED in page
    assert "Expected words that answers contain: 0%; the baseline had 50%" in page


def test_a_person_lets_questions_through_on_the_page(
    site: Site, editor: httpx.Client, place: str
) -> None:
    """Until they end it."""
    run_done(site, passages=())
    site.platform.evaluations.gates.change(
        SYSTEM, place, GateMode.BLOCK, {"contains": 0.9}, {}, site.clock()
    )
    assert asks(site)[1].status_code == 503
    day = site.clock() + timedelta(days=2)
    until = {"until-day": str(day.day), "until-month": str(day.month), "until-year": str(day.year)}
    wanted = {"in": place, "reason": "The trial ends on Friday", **until}
    assert editor.post("/evaluation/gate/override", data=wanted).status_code == 303
    assert asks(site)[1].status_code == 200
    page = editor.get("/evaluation/gate").text
    assert "Editor Person lets questions through until" in page
    assert editor.post("/evaluation/gate/override/end", data={"in": place}).status_code == 303
    assert asks(site)[1].status_code == 503
    for wrong in ({"reason": ""}, {"until-day": ""}, {"until-year": "2020"}):
        refused = editor.post("/evaluation/gate/override", data={**wanted, **wrong})
        assert refused.status_code == 422
        assert "There is a problem" in refused.text


def test_the_gate_is_changed_in_per_cent_and_seconds(
    site: Site, editor: httpx.Client, place: str
) -> None:
    """What is empty is not looked at; what is no number is told at its field."""
    wanted = {
        "in": place,
        "mode": "warn",
        "questions": "4",
        "least-contains": "92.5",
        "margin-contains": "5",
        "least-first_text_p50": "4.5",
        "least-helped": "60",
        "least-cost_an_answer": "1.50",
        "month_cost": "900",
    }
    assert editor.post("/evaluation/gate", data=wanted).status_code == 303
    gate = site.platform.evaluations.gates.gate(place)
    assert gate.mode is GateMode.WARN
    of_runs = {"questions": 4, "contains": 0.925, "first_text_p50": 4.5}
    assert gate.thresholds == of_runs | {"helped": 0.6, "cost_an_answer": 1.5, "month_cost": 900}
    assert gate.margins == {"contains": 0.05}
    assert 'value="92.5"' in editor.get("/evaluation/gate").text
    for wrong in ({"mode": "maybe"}, {"least-contains": "many"}, {"month_cost": "much"}):
        refused = editor.post("/evaluation/gate", data={**wanted, **wrong})
        assert refused.status_code == 422
        assert "There is a problem" in refused.text
    assert site.platform.evaluations.gates.gate(place) == gate


def test_a_warning_is_shown_and_answers_are_given(
    site: Site, editor: httpx.Client, place: str
) -> None:
    """To whom looks after evaluations, and to nobody else."""
    site.platform.evaluations.gates.change(
        SYSTEM, place, GateMode.WARN, {"contains": 1.0}, {}, site.clock()
    )
    run_done(site, passages=())
    assert "has not passed an evaluation. Answers are given" in editor.get("/evaluation").text
    assert asks(site)[1].status_code == 200


def test_the_log_says_at_the_start_what_has_not_passed(site: Site, place: str) -> None:
    """Once for each department whose gate is not off, with the reasons."""
    gates, now = site.platform.evaluations.gates, site.clock()
    gates.change(SYSTEM, place, GateMode.WARN, {"questions": 1000}, {}, now)
    with capture_logs() as told:
        tell_gates(site.platform)
    assert [(one["department"], one["standing"]) for one in told] == [("Pharmacy", "warned")]
    gates.change(SYSTEM, place, GateMode.OFF, {}, {}, now)
    with capture_logs() as told:
        tell_gates(site.platform)
    assert told == []
