"""`/api/v1/ask` and `/api/v1/search`."""

import json
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from rag.errors import AnswerCutShort
from rag.events import Answered, PassagesFound, TokenReleased
from rag.retrieve import clean_limit, clean_question
from rag.schema import Answer
from web.api.shapes import answer_json, passage_json, problem_json
from web.asked import events_of
from web.departments import choose
from web.parts import Platform
from web.presence import while_present
from web.problems import problem_of
from web.sse import EventStream, event_bytes


class Question(BaseModel):
    """What `/api/v1/ask` takes."""

    model_config = ConfigDict(extra="forbid", strict=True)
    question: str
    department: str | None = None


class Search(BaseModel):
    """What `/api/v1/search` takes; k is how many passages."""

    model_config = ConfigDict(extra="forbid", strict=True)
    query: str
    department: str | None = None
    k: int | None = None


class AskApi:
    """Questions and searches as JSON."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["ask"])
        router.add_api_route("/ask", self.ask, methods=["POST"], response_model=None)
        router.add_api_route("/search", self.search, methods=["POST"], response_model=None)
        return router

    async def ask(self, body: Question, request: Request) -> Response:
        """Answer a question, at once or as events."""
        question = clean_question(body.question, self._platform.rag_settings)
        department = await self._department(body.department)
        if "text/event-stream" in request.headers.get("accept", ""):
            return EventStream(self._events(question, department))
        answer = await while_present(request, whole_answer(self._platform, question, department))
        return JSONResponse(answer_json(answer))

    async def search(self, body: Search) -> Response:
        """The nearest passages."""
        settings = self._platform.rag_settings
        query = clean_question(body.query, settings)
        k = clean_limit(body.k, settings)
        department = await self._department(body.department)
        found = await self._platform.assistant.search(query, department, k)
        return JSONResponse({"passages": [passage_json(passage) for passage in found]})

    async def _department(self, wanted: str | None) -> str:
        known = await run_in_threadpool(self._platform.policies.departments)
        return choose(known, wanted).name

    async def _events(self, question: str, department: str) -> AsyncGenerator[bytes, None]:
        try:
            async with events_of(self._platform.assistant, question, department) as events:
                async for event in events:
                    match event:
                        case PassagesFound(passages):
                            found = [passage_json(passage) for passage in passages]
                            yield _event("passages", {"passages": found})
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


async def whole_answer(platform: Platform, question: str, department: str) -> Answer:
    """The finished answer. Raises RagError."""
    async with events_of(platform.assistant, question, department) as events:
        async for event in events:
            if isinstance(event, Answered):
                return event.answer
    raise AnswerCutShort
