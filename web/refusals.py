"""Shows an error the way its reader needs it: OpenAI's JSON, our JSON, a fragment or a page."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from governance.errors import GovernanceError
from ingest.errors import IngestError
from rag.errors import RagError
from web.api.openai import openai_error
from web.api.shapes import problem_json
from web.errors import WebError
from web.pages import Pages
from web.problems import Problem, problem_of
from web.security import HEADERS

Handler = Callable[[Request, Exception], Coroutine[Any, Any, Response]]
KINDS: tuple[type[Exception], ...] = (
    GovernanceError,
    IngestError,
    RagError,
    WebError,
    HTTPException,
    RequestValidationError,
    Exception,
)


class Refusals:
    """The one place where errors become answers."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def handlers(self) -> dict[Any, Handler]:
        """What FastAPI calls for each kind of error."""
        return dict.fromkeys(KINDS, self.show)

    async def show(self, request: Request, error: Exception) -> Response:
        """An error as an answer."""
        response = self._response(request, problem_of(error))
        # An unforeseen error is answered outside of the guard, which sets these otherwise.
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _response(self, request: Request, problem: Problem) -> Response:
        path = request.url.path
        if path.startswith("/v1/"):
            return JSONResponse(openai_error(problem), problem.status)
        if path.startswith("/api/") or path in ("/healthz", "/readyz"):
            return JSONResponse(problem_json(problem), problem.status)
        if "hx-request" in request.headers:
            return self._pages.page(
                "problem/_fragment.html", status=problem.status, problem=problem
            )
        return self._pages.page("problem/page.html", status=problem.status, problem=problem)
