"""Signing in with name and password, and signing out."""

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import SignInRefused
from web.caller import caller_of, maybe_caller_of
from web.next_page import local_page
from web.pages import Pages
from web.parts import Platform
from web.problems import Problem, problem_of
from web.session_cookie import clear_session_cookie, session_token, set_session_cookie

# What a browser throws away when somebody leaves a shared computer.
CLEARED = '"cache", "cookies", "storage"'


class SignInPages:
    """`/sign-in` and `/sign-out`.

    The form has no token: before a sign-in there is no session that it could belong to. Another
    site cannot post it all the same, for browsers say where a request comes from
    (`web/security.py`), and the worst it could do is to sign somebody in as somebody else.
    """

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/sign-in", self.form, methods=["GET"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        """The form; whoever is signed in already goes on."""
        query = request.query_params
        next_page = local_page(query.get("next", "/"))
        caller = maybe_caller_of(request)
        if caller is not None and caller.session is not None and "again" not in query:
            return RedirectResponse(next_page, status_code=303)
        return self._page(request, next_page, ended="ended" in query)

    async def sign_in(self, request: Request) -> Response:
        """Check name and password, and open a session that takes the place of an older one."""
        form = await request.form()
        username, password = str(form.get("username", "")), str(form.get("password", ""))
        next_page = local_page(str(form.get("next", "/")))
        try:
            token = await run_in_threadpool(
                self._platform.sign_in.sign_in,
                username,
                password,
                address_of(request),
                request.headers.get("user-agent", ""),
                self._platform.clock(),
                session_token(request),
            )
        except SignInRefused as error:
            return self._page(request, next_page, problem=problem_of(error), username=username)
        response = RedirectResponse(next_page, status_code=303)
        set_session_cookie(response, request, token)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End this session, and take from the browser what it kept."""
        caller = caller_of(request)
        if caller.session is not None:
            await run_in_threadpool(
                self._platform.sessions.end, caller.actor, caller.session.id, "signed out"
            )
        response = RedirectResponse("/sign-in", status_code=303)
        response.headers["Clear-Site-Data"] = CLEARED
        clear_session_cookie(response, request)
        return response

    def _page(
        self,
        request: Request,
        next_page: str,
        problem: Problem | None = None,
        username: str = "",
        ended: bool = False,
    ) -> Response:
        return self._pages.page(
            "sign_in/page.html",
            status=problem.status if problem else 200,
            request=request,
            next_page=next_page,
            problem=problem,
            username=username,
            ended=ended,
            has_provider=self._platform.oidc is not None,
            has_passwords=self._platform.settings.passwords_on,
        )


def address_of(request: Request) -> str:
    """The address that a request came from, as our own server sees it."""
    return request.client.host if request.client is not None else "socket"
