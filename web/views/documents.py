"""The documents page: what is loaded, what is loading, what could not be, upload and delete."""

from typing import Any
from uuid import uuid4

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError
from governance.jobs import Job, JobState
from governance.permissions import Permission
from governance.policies import Department, DocumentDetail
from web.caller import Caller, caller_of
from web.departments import choose
from web.errors import WebError
from web.library import ORDER_WORDS, browse, wanted_of
from web.pages import Pages
from web.parts import Platform
from web.problems import Problem, problem_of
from web.scoped import document_for, documents_for, job_for, open_jobs_for, recent_jobs_for
from web.shelf import Shelf
from web.uploads import Handed, files_of, hand_in_all

# What one person handed in, to be shown to nobody else.
Notice = tuple[str, tuple[Handed, ...]]
TROUBLED = frozenset({JobState.REFUSED, JobState.FAILED})


class DocumentPages:
    """`/documents` and what is done there."""

    def __init__(self, platform: Platform, pages: Pages, notices: Shelf[Notice]) -> None:
        self._platform = platform
        self._pages = pages
        self._notices = notices

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/documents", self.page, methods=["GET"]),
            Route("/documents", self.upload, methods=["POST"]),
            Route("/documents/progress", self.progress, methods=["GET"]),
            Route("/documents/jobs/{job_id}/forget", self.forget, methods=["POST"]),
            Route("/documents/{document_id}/delete", self.confirm, methods=["GET"]),
            Route("/documents/{document_id}/delete", self.delete, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """The table, the jobs and the upload form."""
        owner, handed = self._notices.get(request.query_params.get("upload", "")) or ("", ())
        return await self._page(
            request,
            handed=handed if owner == caller_of(request).owner else (),
            removed="removed" in request.query_params,
            wanted=request.query_params.get("department", ""),
        )

    async def upload(self, request: Request) -> Response:
        """Hand files to the loader, then show what became of each."""
        caller = caller_of(request)
        async with request.form() as form:
            try:
                files = files_of(form, self._platform.settings.max_upload_files)
                department = await run_in_threadpool(self._department, caller, form)
            except (WebError, GovernanceError) as error:
                return await self._page(request, problem=problem_of(error))
            handed = await hand_in_all(self._platform, caller, files, department)
        notice = uuid4().hex
        self._notices.put(notice, (caller.owner, handed))
        return RedirectResponse(f"/documents?upload={notice}", status_code=303)

    async def progress(self, request: Request) -> Response:
        """The jobs as a fragment; the table comes with it when it has changed."""
        values = await run_in_threadpool(self._lists, request)
        changed = request.query_params.get("open") != str(len(values["open_jobs"]))
        return self._pages.page(
            "documents/_progress.html", request=request, with_table=changed, **values
        )

    async def forget(self, request: Request) -> Response:
        """Take a failed job off the list."""
        await run_in_threadpool(self._forget, caller_of(request), request.path_params["job_id"])
        return RedirectResponse("/documents", status_code=303)

    async def confirm(self, request: Request) -> Response:
        """Ask before a document is removed."""
        document = await run_in_threadpool(self._to_remove, request)
        return self._pages.page(
            "documents/delete.html", request=request, here="/documents", document=document
        )

    async def delete(self, request: Request) -> Response:
        """Remove a document."""
        document = await run_in_threadpool(self._to_remove, request)
        await run_in_threadpool(
            self._platform.publisher.delete, caller_of(request).actor, document.document_id
        )
        return RedirectResponse("/documents?removed", status_code=303)

    def _to_remove(self, request: Request) -> DocumentDetail:
        return document_for(
            caller_of(request),
            self._platform.policies,
            request.path_params["document_id"],
            Permission.DOCUMENTS_DELETE,
        )

    def _forget(self, caller: Caller, job_id: str) -> None:
        job = job_for(caller, self._platform.jobs, job_id, Permission.JOBS_FORGET)
        self._platform.publisher.forget(caller.actor, job.job_id)

    async def _page(
        self, request: Request, problem: Problem | None = None, **values: Any
    ) -> Response:
        lists = await run_in_threadpool(self._lists, request)
        return self._pages.page(
            "documents/page.html",
            status=problem.status if problem else 200,
            request=request,
            here="/documents",
            problem=problem,
            **lists,
            **values,
        )

    def _lists(self, request: Request) -> dict[str, Any]:
        caller, jobs = caller_of(request), self._platform.jobs
        wanted = wanted_of(request.query_params)
        found = documents_for(caller, self._platform.policies, _place(request, caller))
        # The open ones first: one that ends meanwhile is then in both lists, and in neither else.
        unfinished = open_jobs_for(caller, jobs)
        recent = recent_jobs_for(caller, jobs, self._platform.settings.recent_jobs)
        troubled: list[Job] = [job for job in recent if job.state in TROUBLED]
        return {
            "departments": caller.departments(Permission.POLICIES_READ),
            "loadable": caller.departments(Permission.DOCUMENTS_LOAD),
            "loadable_names": caller.department_names(Permission.DOCUMENTS_LOAD),
            "reviewable": caller.department_names(Permission.DRAFTS_READ),
            "removable": caller.department_names(Permission.DOCUMENTS_DELETE),
            "forgettable": caller.department_names(Permission.JOBS_FORGET),
            "may_create": caller.may(Permission.DEPARTMENTS_CREATE),
            "library": browse(found, wanted, caller.clock().date()),
            "place": _place(request, caller) or "",
            "orders": ORDER_WORDS,
            "overdue_before": caller.clock().date(),
            "open_jobs": unfinished,
            "troubled": troubled,
            "interval_ms": self._platform.settings.progress_interval_ms,
            "max_files": self._platform.settings.max_upload_files,
        }

    def _department(self, caller: Caller, form: FormData) -> Department:
        new_name = str(form.get("new_department", "")).strip()
        if new_name:
            caller.require(Permission.DEPARTMENTS_CREATE, None)
            return self._platform.policies.create_department(caller.actor, new_name)
        known = caller.departments(Permission.DOCUMENTS_LOAD)
        return choose(known, str(form.get("department", "")))


def _place(request: Request, caller: Caller) -> str | None:
    """The department that the list is narrowed to, if the caller may read there."""
    name = request.query_params.get("in", "")
    return name if name in caller.department_names(Permission.POLICIES_READ) else None
