"""`/api/v1/ask` and `/api/v1/search`."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from governance.permissions import Permission
from governance.policies import Department
from governance.questions import Channel
from rag.events import Answered, PassagesFound, TokenReleased
from rag.results import CONFIDENCE_HEADER
from rag.retrieve import clean_limit, clean_question
from web.api.shapes import answer_json, passage_json, problem_json
from web.asking import Admitted, Asking
from web.caller import Caller, caller_of
from web.conversation import turns_of
from web.departments import choose
from web.parts import Platform
from web.presence import while_present
from web.problems import problem_of
from web.reading import note_search
from web.sse import EventStream, event_bytes


class EarlierTurn(BaseModel):
    """A question of a conversation and what it got."""

    model_config = ConfigDict(extra="forbid")
    question: str
    answer: str


class Question(BaseModel):
    """What `/api/v1/ask` takes; as_of asks what was, or will be, in force then.

    conversation: what was asked and answered before, in order; the last six turns are read.
    """

    model_config = ConfigDict(extra="forbid")
    question: str
    department: str | None = None
    as_of: AwareDatetime | None = None
    conversation: list[EarlierTurn] = Field(default=[], max_length=100)


class Search(BaseModel):
    """What `/api/v1/search` takes; k is how many passages, as_of as for a question."""

    model_config = ConfigDict(extra="forbid")
    query: str
    department: str | None = None
    k: int | None = None
    as_of: AwareDatetime | None = None


class AskApi:
    """Questions and searches as JSON."""

    def __init__(self, platform: Platform, asking: Asking) -> None:
        self._platform = platform
        self._asking = asking

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["ask"])
        router.add_api_route("/ask", self.ask, methods=["POST"], response_model=None)
        router.add_api_route("/search", self.search, methods=["POST"], response_model=None)
        return router

    async def ask(self, body: Question, request: Request) -> Response:
        """Answer a question, at once or as events."""
        question = clean_question(body.question, self._platform.rag_settings)
        caller = caller_of(request)
        department = department_of(caller, Permission.POLICIES_ASK, body.department)
        require_drafts(caller, department, body.as_of)
        earlier = turns_of([(one.question, one.answer) for one in body.conversation])
        admitted = await self._asking.admit(
            caller, question, department, Channel.API, body.as_of, earlier
        )
        if "text/event-stream" in request.headers.get("accept", ""):
            settings = self._platform.settings
            return EventStream(self._events(admitted), admitted.headers, settings)
        answered = await while_present(request, self._asking.answered(admitted))
        headers = {**admitted.headers, **_how_sure(answered.checks.confidence)}
        return JSONResponse(answer_json(answered.answer), headers=headers)

    async def search(self, body: Search, request: Request) -> Response:
        """The nearest passages."""
        settings = self._platform.rag_settings
        query = clean_question(body.query, settings)
        k = clean_limit(body.k, settings)
        caller = caller_of(request)
        department = department_of(caller, Permission.POLICIES_SEARCH, body.department)
        require_drafts(caller, department, body.as_of)
        asker = caller.asker(department.id)
        found = await self._platform.assistant.search(query, department.name, k, asker, body.as_of)
        await run_in_threadpool(note_search, caller, department, found)
        return JSONResponse({"passages": [passage_json(passage) for passage in found]})

    async def _events(self, admitted: Admitted) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._asking.events(admitted)) as events:
                async for event in events:
                    match event:
                        case PassagesFound(passages, _, understood):
                            found = [passage_json(passage) for passage in passages]
                            said = {"understood": understood} if understood else {}
                            yield _event("passages", {"passages": found, **said})
                        case TokenReleased(text):
                            yield _event("token", {"text": text})
                        case Answered(answer):
                            yield _event("answer", answer_json(answer))
        except Exception as error:
            # The status line is gone already: the error can only be said in the stream.
            problem = problem_of(error)
            yield _event("error", problem_json(problem))
            if problem.type == "internal":
                raise


def _event(name: str, value: object) -> bytes:
    return event_bytes(json.dumps(value, ensure_ascii=False), event=name)


def require_drafts(caller: Caller, department: Department, as_of: datetime | None) -> None:
    """Only those who may read what is not in force ask about another day. Raises Forbidden."""
    if as_of is not None:
        caller.require(Permission.DRAFTS_READ, department.id)


def department_of(caller: Caller, permission: Permission, wanted: str | None) -> Department:
    """The department that a request means, among those where its caller may do this.

    Raises UnknownDepartment, NoDepartment, DepartmentNeeded.
    """
    return choose(caller.departments(permission), wanted)


def _how_sure(confidence: float | None) -> dict[str, str]:
    return {} if confidence is None else {CONFIDENCE_HEADER: f"{confidence:.3f}"}
