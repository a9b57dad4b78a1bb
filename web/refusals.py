"""Shows an error the way its reader needs it: OpenAI's JSON, our JSON, a fragment or a page."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from governance.errors import GovernanceError, QuotaExceeded
from ingest.errors import IngestError
from rag.errors import RagError
from web.api.openai import openai_error
from web.api.shapes import problem_json
from web.errors import NotSignedIn, SessionEnded, SessionLocked, TwoCredentials, WebError
from web.next_page import next_of
from web.pages import Pages
from web.problems import Problem, problem_of
from web.security import headers_for
from web.session_cookie import clear_session_cookie

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
        response = self._response(request, error)
        if isinstance(error, QuotaExceeded):
            response.headers["Retry-After"] = str(error.retry_after_s)
        if isinstance(error, SessionEnded | TwoCredentials):
            # The cookie is no good any more, and would stand in the way of the next sign-in.
            clear_session_cookie(response, request)
            response.headers["Clear-Site-Data"] = '"cache"'
        # An unforeseen error is answered outside of the guard, which sets these otherwise.
        for name, value in headers_for(request.scope).items():
            response.headers.setdefault(name, value)
        return response

    def _response(self, request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        path = request.url.path
        if path.startswith(("/v1/", "/api/")) or path in ("/healthz", "/readyz", "/mcp"):
            return _as_json(path, problem)
        if isinstance(error, NotSignedIn | SessionLocked):
            return _to_sign_in(request, error)
        shown: dict[str, Any] = {"status": problem.status, "request": request, "problem": problem}
        if "hx-request" in request.headers:
            return self._pages.page("problem/_fragment.html", **shown)
        return self._pages.page("problem/page.html", **shown)


def _as_json(path: str, problem: Problem) -> Response:
    shape = openai_error if path.startswith("/v1/") else problem_json
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
    return JSONResponse(shape(problem), problem.status, headers)


def _to_sign_in(request: Request, error: NotSignedIn | SessionLocked) -> Response:
    """Lead to where the person shows who they are, and back from there to where they were."""
    page = "/unlock" if isinstance(error, SessionLocked) else "/sign-in"
    query = {"next": next_of(request)}
    if isinstance(error, SessionEnded):
        query["ended"] = "1"
    address = f"{page}?{urlencode(query)}"
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=303)
