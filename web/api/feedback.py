"""`/api/v1/feedback` and `/api/v1/gaps`: what a program's person says of its answers."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from governance.feedback import Reason, Verdict
from governance.report_texts import MAX_COMMENT_CHARS, MAX_TEXT_CHARS, Words
from web.caller import caller_of
from web.parts import Platform
from web.reporting import asking_in

# An id as this platform makes them; anything else is not looked up.
ID = r"^[0-9A-Za-z-]{1,36}$"


class Feedback(BaseModel):
    """What `/api/v1/feedback` takes; verdict `down` needs a reason.

    question_id: the id of the answer. question, answer: what the editors should see of them.
    """

    model_config = ConfigDict(extra="forbid")
    question_id: str = Field(pattern=ID)
    verdict: Verdict
    reason: Reason | None = None
    comment: str = Field(default="", max_length=MAX_COMMENT_CHARS)
    question: str = Field(default="", max_length=MAX_TEXT_CHARS)
    answer: str = Field(default="", max_length=MAX_TEXT_CHARS)


class GapReport(BaseModel):
    """What `/api/v1/gaps` takes.

    question_id: the id of the answer that was not found. question: what was asked, which tells the
    editors what is missing.
    """

    model_config = ConfigDict(extra="forbid")
    question_id: str = Field(pattern=ID)
    question: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)
    note: str = Field(default="", max_length=MAX_COMMENT_CHARS)


class FeedbackApi:
    """Feedback and gaps as JSON."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["feedback"])
        router.add_api_route("/feedback", self.give, methods=["POST"], response_model=None)
        router.add_api_route("/gaps", self.report, methods=["POST"], response_model=None)
        return router

    async def give(self, body: Feedback, request: Request) -> Response:
        """Say what one thinks of the answer to one's own question, or say it anew."""
        store, caller = self._platform.voices.feedback, caller_of(request)
        await run_in_threadpool(
            store.give,
            caller.actor,
            body.question_id,
            asking_in(caller),
            body.verdict,
            body.reason,
            Words(body.question, body.answer, body.comment),
            self._platform.clock(),
        )
        given = await run_in_threadpool(store.of_question, body.question_id)
        assert given is not None
        return JSONResponse(
            {"id": given.id, "verdict": given.verdict.value, "state": given.state.value}
        )

    async def report(self, body: GapReport, request: Request) -> Response:
        """Report that no policy answers a question of one's own."""
        caller = caller_of(request)
        gap = await run_in_threadpool(
            self._platform.voices.gaps.report,
            caller.actor,
            body.question_id,
            asking_in(caller),
            body.question,
            body.note,
            self._platform.clock(),
        )
        return JSONResponse(
            {
                "id": gap.id,
                "state": gap.state.value,
                "count": gap.count,
                "reply": gap.reply,
                "document": gap.document_id,
            }
        )
