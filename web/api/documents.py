"""`/api/v1/documents`, `/api/v1/jobs` and `/api/v1/departments`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import FormData
from starlette.responses import Response

from web.api.shapes import (
    Json,
    detail_json,
    job_json,
    submitted_json,
    summary_json,
)
from web.departments import choose
from web.errors import BadField
from web.parts import Platform
from web.uploads import FIELDS, fields_of, files_of, hand_in

KNOWN_FIELDS = frozenset({"file", "department", *FIELDS})


class NewDepartment(BaseModel):
    """What `POST /api/v1/departments` takes."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str


class DocumentsApi:
    """Documents, jobs and departments as JSON."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["documents"])
        for path, method, view in (
            ("/documents", "POST", self.upload),
            ("/documents", "GET", self.documents),
            ("/documents/{document_id}", "GET", self.document),
            ("/documents/{document_id}", "DELETE", self.delete),
            ("/jobs", "GET", self.jobs),
            ("/jobs/{job_id}", "GET", self.job),
            ("/departments", "GET", self.departments),
            ("/departments", "POST", self.create_department),
        ):
            router.add_api_route(path, view, methods=[method], response_model=None)
        return router

    async def upload(self, request: Request) -> Response:
        """Take one file in; the same bytes again name the document that holds them."""
        async with request.form() as form:
            check_fields(form)
            files = files_of(form, max_files=1)
            known = await run_in_threadpool(self._platform.policies.departments)
            department = choose(known, str(form.get("department", "")))
            submitted = await hand_in(self._platform, files[0], department, fields_of(form))
        status = 200 if submitted.job_id is None else 202
        return JSONResponse(submitted_json(submitted), status_code=status)

    def documents(self, department: str | None = None) -> Json:
        """Every document that is loading or in force."""
        if department is not None:
            self._platform.policies.department(department)
        found = self._platform.policies.documents(department)
        return {"documents": [summary_json(summary) for summary in found]}

    def document(self, document_id: str) -> Json:
        """One document with its versions."""
        return detail_json(self._platform.policies.document(document_id))

    def delete(self, document_id: str) -> Json:
        """Remove a document; it stops answering at once."""
        self._platform.loader.delete(document_id)
        return {"document": document_id, "state": "deleted"}

    def jobs(
        self,
        department: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> Json:
        """The latest jobs, newest first."""
        found = self._platform.jobs.recent(department, limit)
        return {"jobs": [job_json(job) for job in found]}

    def job(self, job_id: str) -> Json:
        """One job."""
        return job_json(self._platform.jobs.job(job_id))

    def departments(self) -> Json:
        """Every department."""
        found = self._platform.policies.departments()
        return {"departments": [{"id": one.id, "name": one.name} for one in found]}

    def create_department(self, body: NewDepartment) -> JSONResponse:
        """Add a department; one that exists is returned as it is, with 200."""
        before = {one.id for one in self._platform.policies.departments()}
        made = self._platform.policies.create_department(body.name)
        status = 200 if made.id in before else 201
        return JSONResponse({"id": made.id, "name": made.name}, status_code=status)


def check_fields(form: FormData) -> None:
    """Raise BadField for a form field that is not known."""
    unknown = sorted(set(form) - KNOWN_FIELDS)
    if unknown:
        raise BadField(
            f"Unknown field: {', '.join(unknown)}.",
            f"Known: {', '.join(sorted(KNOWN_FIELDS))}.",
        )
