"""The page of watched folders: which there are, what the last look found, what is in the way."""

from collections.abc import Callable

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError
from governance.permissions import Permission
from ingest.errors import IngestError
from web.caller import Caller, caller_of
from web.errors import WebError
from web.form import read_form
from web.pages import Pages
from web.problems import Problem, problem_of
from web.watching import Watches

DONE = {
    "added": "The folder is watched now. What is in it is handed in within a few minutes.",
    "removed": "The folder is not watched any more. What came out of it stays.",
    "confirmed": "Noted. With the next looks the missing files are listed under Review.",
}
PAGE = "/documents/folders"


class FolderPages:
    """`/documents/folders`, and keeping what is missing under `/review`."""

    def __init__(self, watches: Watches, pages: Pages) -> None:
        self._watches = watches
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route(PAGE, self.page, methods=["GET"]),
            Route(PAGE, self.add, methods=["POST"]),
            Route(f"{PAGE}/{{folder_id}}/remove", self.remove, methods=["POST"]),
            Route(f"{PAGE}/{{folder_id}}/confirm", self.confirm, methods=["POST"]),
            Route("/review/missing/{missing_id}/keep", self.keep, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """The folders with what was found in each."""
        return self._show(request)

    async def add(self, request: Request) -> Response:
        """Watch one more."""
        form = await read_form(request)

        def add(caller: Caller) -> None:
            self._watches.add(caller, form.get("department", ""), form.get("path", ""))

        return await run_in_threadpool(self._do, request, add, "added", form.get("path", ""))

    async def remove(self, request: Request) -> Response:
        """Watch one no longer."""
        folder_id = request.path_params["folder_id"]
        return await run_in_threadpool(
            self._do, request, lambda caller: self._watches.remove(caller, folder_id), "removed"
        )

    async def confirm(self, request: Request) -> Response:
        """Say that what is gone was removed on purpose."""
        folder_id = request.path_params["folder_id"]
        return await run_in_threadpool(
            self._do, request, lambda caller: self._watches.confirm(caller, folder_id), "confirmed"
        )

    async def keep(self, request: Request) -> Response:
        """Keep a policy whose file is gone."""
        missing_id = request.path_params["missing_id"]
        await run_in_threadpool(self._watches.keep, caller_of(request), missing_id)
        return RedirectResponse("/review", status_code=303)

    def _do(
        self, request: Request, act: Callable[[Caller], object], done: str, typed: str = ""
    ) -> Response:
        try:
            act(caller_of(request))
        except (IngestError, GovernanceError, WebError) as error:
            problem = problem_of(error)
            if problem.status in (401, 403, 404):
                raise
            return self._show(request, problem, typed)
        return RedirectResponse(f"{PAGE}?done={done}", status_code=303)

    def _show(self, request: Request, problem: Problem | None = None, typed: str = "") -> Response:
        caller = caller_of(request)
        folders = self._watches.folders(caller)
        return self._pages.page(
            "documents/folders.html",
            status=problem.status if problem else 200,
            request=request,
            here="/documents",
            problem=problem,
            typed=typed,
            done="" if problem else DONE.get(request.query_params.get("done", ""), ""),
            folders=[(one, self._watches.files(one)) for one in folders],
            several=len({one.department for one in folders}) > 1,
            watchable=caller.departments(Permission.FOLDERS_WATCH),
            watchable_names=caller.department_names(Permission.FOLDERS_WATCH),
            roots=self._watches.roots,
        )
