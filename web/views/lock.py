"""Locking a session on a shared computer, and opening it again by the same person's password.

Whose password is kept elsewhere opens it at the identity provider (`web/oidc.py`).
"""

from urllib.parse import urlencode

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import SignInRefused
from governance.people import LOCAL
from web.caller import caller_of
from web.next_page import local_page, next_of
from web.pages import Pages
from web.parts import Platform
from web.problems import Problem, problem_of
from web.session_cookie import set_session_cookie
from web.views.sign_in import address_of


class LockPages:
    """`/lock` and `/unlock`."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/lock", self.lock, methods=["POST"]),
            Route("/unlock", self.form, methods=["GET"]),
            Route("/unlock", self.unlock, methods=["POST"]),
        ]

    async def lock(self, request: Request) -> Response:
        """Lock this session; the page that it was locked on waits behind the password."""
        caller = caller_of(request)
        if caller.session is None:
            return RedirectResponse("/", status_code=303)
        await run_in_threadpool(self._platform.sessions.lock, caller.actor, caller.session.id)
        query = urlencode({"next": next_of(request)})
        response = RedirectResponse(f"/unlock?{query}", status_code=303)
        # The back button must show nothing to the next person at this computer.
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def form(self, request: Request) -> Response:
        """Ask for the password; a session that is open goes on."""
        caller = caller_of(request)
        next_page = local_page(request.query_params.get("next", "/"))
        if not caller.is_locked:
            return RedirectResponse(next_page, status_code=303)
        return self._page(request, next_page)

    async def unlock(self, request: Request) -> Response:
        """Open the session again, under a new token."""
        caller = caller_of(request)
        form = await request.form()
        next_page = local_page(str(form.get("next", "/")))
        if caller.session is None or not caller.is_locked:
            return RedirectResponse(next_page, status_code=303)
        try:
            token = await run_in_threadpool(
                self._platform.sign_in.unlock,
                caller.session,
                str(form.get("password", "")),
                address_of(request),
                self._platform.clock(),
            )
        except SignInRefused as error:
            return self._page(request, next_page, problem_of(error))
        response = RedirectResponse(next_page, status_code=303)
        set_session_cookie(response, request, token)
        return response

    def _page(self, request: Request, next_page: str, problem: Problem | None = None) -> Response:
        principal = caller_of(request).principal
        return self._pages.page(
            "sign_in/locked.html",
            status=problem.status if problem else 200,
            request=request,
            next_page=next_page,
            problem=problem,
            is_local=principal.issuer == LOCAL,
            has_passwords=self._platform.settings.passwords_on,
            username=principal.subject,
        )
