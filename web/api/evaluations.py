"""`/api/v1/gold-questions` and `/api/v1/evaluations`: what measures answers, as JSON."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from governance.errors import NotFound
from governance.evaluation_runs import Run
from governance.gold_drafts import (
    MAX_KEY_CHARS,
    MAX_PLACES,
    MAX_TEXT_CHARS,
    GoldDraft,
    Origin,
    Place,
)
from governance.gold_questions import MAX_QUESTIONS, GoldQuestion
from governance.permissions import Permission
from governance.policies import Department
from rag.figures import Change, compare, differences
from web.api.shapes import Json
from web.caller import Caller, caller_of
from web.departments import choose
from web.evaluation_parts import EvaluationParts
from web.parts import Platform

NO_RUN = ("There is no such evaluation.", "GET /api/v1/evaluations lists those there are.")
NO_QUESTION = ("There is no such gold question.", "GET /api/v1/gold-questions lists them.")


class Strict(BaseModel):
    """A request whose unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid")


class GivenPlace(BaseModel):
    """Words of a document that answer; `doc` is the name of its file."""

    doc: str = Field(max_length=400)
    evidence: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)


class GivenQuestion(BaseModel):
    """A line of a question file; further fields are passed over."""

    id: str = Field(default="", max_length=MAX_KEY_CHARS)
    question: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)
    answerable: bool
    answers: list[str] = Field(default_factory=list, max_length=MAX_PLACES)
    answer_type: str = "extractive"
    gold: list[GivenPlace] = Field(default_factory=list, max_length=MAX_PLACES)


class Saved(Strict):
    """Questions to add or, where the id is in use, to change."""

    department: str | None = None
    questions: list[GivenQuestion] = Field(min_length=1, max_length=MAX_QUESTIONS)


class NewEvaluation(Strict):
    """A run to start. chat_model: another than the one that answers people now."""

    department: str | None = None
    chat_model: str | None = Field(default=None, max_length=200)


class EvaluationsApi:
    """Gold questions and evaluations."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._parts: EvaluationParts = platform.evaluations

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["evaluation"])
        rows: tuple[tuple[str, Any, str], ...] = (
            ("/gold-questions", self.questions, "GET"),
            ("/gold-questions", self.save, "POST"),
            ("/gold-questions/{gold_id}", self.retire, "DELETE"),
            ("/evaluations", self.runs, "GET"),
            ("/evaluations", self.start, "POST"),
            ("/evaluations/{run_id}", self.run, "GET"),
            ("/evaluations/{run_id}/stop", self.stop, "POST"),
            ("/evaluations/{run_id}/baseline", self.make_baseline, "POST"),
            ("/evaluations/{run_id}/comparison/{other_id}", self.comparison, "GET"),
        )
        for path, act, method in rows:
            router.add_api_route(path, act, methods=[method], response_model=None)
        return router

    def questions(self, request: Request, department: str | None = None) -> Json:
        """The gold questions of a department."""
        caller, place = self._place(request, department)
        found = self._parts.gold.listed(place.id, caller.clock())
        return {"department": place.name, "questions": [_gold_json(one) for one in found]}

    def save(self, request: Request, body: Saved) -> Response:
        """Add gold questions, or change those whose id is in use; all or none."""
        caller, place = self._place(request, body.department)
        drafts = [_draft(one) for one in body.questions]
        ids = self._parts.gold.save(caller.actor, place.id, drafts, caller.clock())
        return JSONResponse({"saved": len(ids), "question_ids": list(ids)}, status_code=201)

    def retire(self, request: Request, gold_id: str) -> Json:
        """Ask this question no more."""
        caller = caller_of(request)
        place = next(
            (
                one
                for one in caller.departments(Permission.EVALUATIONS_MANAGE)
                if any(
                    known.id == gold_id for known in self._parts.gold.listed(one.id, caller.clock())
                )
            ),
            None,
        )
        if place is None:
            raise NotFound(*NO_QUESTION)
        self._parts.gold.retire(caller.actor, place.id, gold_id, caller.clock())
        return {"question_id": gold_id, "state": "retired"}

    def runs(self, request: Request, department: str | None = None) -> Json:
        """The latest runs of a department, newest first."""
        _, place = self._place(request, department)
        found = self._parts.runs.runs(place.id)
        return {"evaluations": [_run_json(one, place.name) for one in found]}

    def start(self, request: Request, body: NewEvaluation) -> Response:
        """Start a run over the gold questions of a department."""
        caller, place = self._place(request, body.department)
        run = self._parts.start(caller, place, body.chat_model)
        return JSONResponse(_run_json(run, place.name), status_code=202)

    def run(self, request: Request, run_id: str) -> Json:
        """One run with what came back for each question."""
        run, place = self._run(request, run_id)
        items = [
            {
                "number": one.number,
                "id": one.asked.key,
                "question": one.asked.question,
                "answerable": one.asked.answerable,
                **({} if one.measured is None else asdict(one.measured)),
            }
            for one in self._parts.runs.items(run.id)
        ]
        return {**_run_json(run, place), "items": items}

    def stop(self, request: Request, run_id: str) -> Json:
        """Stop a run; what was asked until now is kept."""
        run, place = self._run(request, run_id)
        caller = caller_of(request)
        self._parts.runs.stop(caller.actor, run.id, caller.clock())
        return _run_json(self._parts.runs.run(run.id), place)

    def make_baseline(self, request: Request, run_id: str) -> Json:
        """Make this the run that others are compared with."""
        run, place = self._run(request, run_id)
        self._parts.runs.make_baseline(caller_of(request).actor, run.id)
        return _run_json(self._parts.runs.run(run.id), place)

    def comparison(self, request: Request, run_id: str, other_id: str) -> Json:
        """What became better, worse or stayed between a run and a later one."""
        before, place = self._run(request, run_id)
        after, other = self._run(request, other_id)
        if place != other:
            raise NotFound(*NO_RUN)
        found = compare(self._parts.runs.items(before.id), self._parts.runs.items(after.id))
        return {
            "before": _run_json(before, place),
            "after": _run_json(after, place),
            "differences": differences(before.figures or {}, after.figures or {}),
            **{change.value: found.count(change) for change in Change},
            "p": found.p,
            "only_before": list(found.only_before),
            "only_after": list(found.only_after),
            "questions": [
                {
                    "id": one.key,
                    "question": one.question,
                    "before": one.score_before,
                    "after": one.score_after,
                    "change": one.change.value,
                }
                for one in found.pairs
            ],
        }

    def _place(self, request: Request, department: str | None) -> tuple[Caller, Department]:
        """Raises UnknownDepartment, NoDepartment, DepartmentNeeded."""
        caller = caller_of(request)
        return caller, choose(caller.departments(Permission.EVALUATIONS_MANAGE), department)

    def _run(self, request: Request, run_id: str) -> tuple[Run, str]:
        """A run and the name of its department. Raises NotFound, Forbidden."""
        caller = caller_of(request)
        run = self._parts.runs.run(run_id)
        place = next((one.name for one in caller.known if one.id == run.department_id), "")
        caller.require_in(Permission.EVALUATIONS_MANAGE, place, NotFound(*NO_RUN))
        return run, place


def _draft(given: GivenQuestion) -> GoldDraft:
    return GoldDraft(
        given.question,
        given.answerable,
        tuple(given.answers),
        given.answer_type,
        tuple(Place(one.doc, one.evidence) for one in given.gold),
        given.id,
        Origin.IMPORTED if given.id else Origin.WRITTEN,
    )


def _gold_json(one: GoldQuestion) -> Json:
    return {
        **one.as_line(),
        "question_id": one.id,
        "origin": one.origin.value,
        "check_again": one.check_again,
        "changed_at": one.changed_at.isoformat(),
    }


def _run_json(run: Run, place: str) -> Json:
    return {
        "id": run.id,
        "department": place,
        "state": run.state.value,
        "done": run.done,
        "total": run.total,
        "configuration": dict(run.configuration),
        "configuration_digest": run.configuration_digest,
        "suite_digest": run.suite_digest,
        "model_digests": dict(run.model_digests),
        "figures": run.figures,
        "is_baseline": run.is_baseline,
        "problem": run.problem,
        "hint": run.hint,
        "created_at": run.created_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
    }
