"""`/api/v1/documents`, `/api/v1/jobs` and `/api/v1/departments`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import FormData
from starlette.responses import Response

from governance.permissions import Permission
from web.api.shapes import (
    Json,
    detail_json,
    job_json,
    submitted_json,
    summary_json,
)
from web.caller import caller_of
from web.departments import choose
from web.errors import BadField
from web.parts import Platform
from web.scoped import detail_for, document_for, documents_for, job_for, recent_jobs_for
from web.uploads import FIELDS, fields_of, files_of, hand_in

KNOWN_FIELDS = frozenset({"file", "department", "replaces", "override_reason", *FIELDS})


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
        """Take one file in; the same bytes again name the document that holds them.

        It ends as a draft, unless `override_reason` says why it goes into force at once.
        """
        async with request.form() as form:
            check_fields(form)
            files = files_of(form, max_files=1)
            caller = caller_of(request)
            known = caller.departments(Permission.DOCUMENTS_LOAD)
            department = choose(known, str(form.get("department", "")))
            reason = str(form.get("override_reason", "")).strip() or None
            if reason is not None:
                caller.require(Permission.DOCUMENTS_OVERRIDE, department.id)
            submitted = await hand_in(
                self._platform,
                caller,
                files[0],
                department,
                fields_of(form),
                replaces=str(form.get("replaces", "")).strip() or None,
                override_reason=reason,
            )
        status = 200 if submitted.job_id is None else 202
        return JSONResponse(submitted_json(submitted), status_code=status)

    def documents(self, request: Request, department: str | None = None) -> Json:
        """The versions in force and, for those who load and approve, those still to come."""
        caller = caller_of(request)
        if department is not None:
            choose(caller.departments(Permission.POLICIES_READ), department)
        found = documents_for(caller, self._platform.policies, department)
        return {"documents": [summary_json(summary) for summary in found]}

    def document(self, request: Request, document_id: str) -> Json:
        """One document with those of its versions that the caller may see."""
        return detail_json(detail_for(caller_of(request), self._platform.policies, document_id))

    def delete(self, request: Request, document_id: str) -> Json:
        """Remove a document; it stops answering at once."""
        caller = caller_of(request)
        document_for(caller, self._platform.policies, document_id, Permission.DOCUMENTS_DELETE)
        self._platform.publisher.delete(caller.actor, document_id)
        return {"document": document_id, "state": "deleted"}

    def jobs(
        self,
        request: Request,
        department: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> Json:
        """The latest jobs that the caller may see, newest first."""
        caller = caller_of(request)
        if department is not None:
            choose(caller.departments(Permission.JOBS_READ), department)
        found = recent_jobs_for(caller, self._platform.jobs, limit, department)
        return {"jobs": [job_json(job) for job in found]}

    def job(self, request: Request, job_id: str) -> Json:
        """One job."""
        job = job_for(caller_of(request), self._platform.jobs, job_id, Permission.JOBS_READ)
        return job_json(job)

    def departments(self, request: Request) -> Json:
        """The departments whose policies the caller may read."""
        found = caller_of(request).departments(Permission.POLICIES_READ)
        return {"departments": [{"id": one.id, "name": one.name} for one in found]}

    def create_department(self, request: Request, body: NewDepartment) -> JSONResponse:
        """Add a department; one that exists is returned as it is, with 200."""
        caller = caller_of(request)
        caller.require(Permission.DEPARTMENTS_CREATE, None)
        made = self._platform.policies.create_department(caller.actor, body.name)
        status = 200 if made in caller.known else 201
        return JSONResponse({"id": made.id, "name": made.name}, status_code=status)


def check_fields(form: FormData) -> None:
    """Raise BadField for a form field that is not known."""
    unknown = sorted(set(form) - KNOWN_FIELDS)
    if unknown:
        raise BadField(
            f"Unknown field: {', '.join(unknown)}.",
            f"Known: {', '.join(sorted(KNOWN_FIELDS))}.",
        )
