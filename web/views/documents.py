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
from governance.policies import Department
from web.errors import WebError
from web.pages import Pages
from web.parts import Platform
from web.problems import Problem, problem_of
from web.shelf import Shelf
from web.uploads import Handed, files_of, hand_in_all

TROUBLED = frozenset({JobState.REFUSED, JobState.FAILED})


class DocumentPages:
    """`/documents` and what is done there."""

    def __init__(
        self, platform: Platform, pages: Pages, notices: Shelf[tuple[Handed, ...]]
    ) -> None:
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
        return await self._page(
            handed=self._notices.get(request.query_params.get("upload", "")) or (),
            removed="removed" in request.query_params,
            wanted=request.query_params.get("department", ""),
        )

    async def upload(self, request: Request) -> Response:
        """Hand files to the loader, then show what became of each."""
        async with request.form() as form:
            try:
                files = files_of(form, self._platform.settings.max_upload_files)
                department = await run_in_threadpool(self._department, form)
            except (WebError, GovernanceError) as error:
                return await self._page(problem=problem_of(error))
            handed = await hand_in_all(self._platform, files, department)
        notice = uuid4().hex
        self._notices.put(notice, handed)
        return RedirectResponse(f"/documents?upload={notice}", status_code=303)

    async def progress(self, request: Request) -> Response:
        """The jobs as a fragment; the table comes with it when it has changed."""
        values = await run_in_threadpool(self._lists)
        changed = request.query_params.get("open") != str(len(values["open_jobs"]))
        return self._pages.page("documents/_progress.html", with_table=changed, **values)

    async def forget(self, request: Request) -> Response:
        """Take a failed job off the list."""
        await run_in_threadpool(self._platform.jobs.forget, request.path_params["job_id"])
        return RedirectResponse("/documents", status_code=303)

    async def confirm(self, request: Request) -> Response:
        """Ask before a document is removed."""
        document = await run_in_threadpool(
            self._platform.policies.document, request.path_params["document_id"]
        )
        return self._pages.page("documents/delete.html", here="/documents", document=document)

    async def delete(self, request: Request) -> Response:
        """Remove a document."""
        await run_in_threadpool(self._platform.loader.delete, request.path_params["document_id"])
        return RedirectResponse("/documents?removed", status_code=303)

    async def _page(self, problem: Problem | None = None, **values: Any) -> Response:
        lists = await run_in_threadpool(self._lists)
        return self._pages.page(
            "documents/page.html",
            status=problem.status if problem else 200,
            here="/documents",
            problem=problem,
            **lists,
            **values,
        )

    def _lists(self) -> dict[str, Any]:
        jobs = self._platform.jobs
        open_jobs = jobs.open_jobs()
        recent = jobs.recent(limit=self._platform.settings.recent_jobs)
        troubled: list[Job] = [job for job in recent if job.state in TROUBLED]
        return {
            "departments": self._platform.policies.departments(),
            "documents": self._platform.policies.documents(),
            "open_jobs": open_jobs,
            "troubled": troubled,
            "interval_ms": self._platform.settings.progress_interval_ms,
        }

    def _department(self, form: FormData) -> Department:
        new_name = str(form.get("new_department", "")).strip()
        if new_name:
            return self._platform.policies.create_department(new_name)
        return self._platform.policies.department(str(form.get("department", "")))
