"""`/api/v1/documents/{id}/versions/{number}`: what a version states, its checks, and its life."""

from datetime import date
from typing import Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from governance.permissions import Permission
from governance.policies import DocumentSummary
from governance.policy_fields import PolicyFields
from governance.versions import Act
from web.api.shapes import (
    Json,
    change_json,
    receipt_json,
    rows_json,
    submitted_json,
    summary_json,
    version_json,
)
from web.caller import Caller, caller_of
from web.comparing import compare
from web.deciding import decide, require_act
from web.parts import Platform
from web.scoped import detail_for, job_for, version_for


class Decision(BaseModel):
    """What is done to a version. looked: at everything that the check of its pages found."""

    model_config = ConfigDict(extra="forbid")
    act: Act
    reason: str = ""
    looked: bool = False


class Stated(BaseModel):
    """What is stated about a version; what is left out is not stated."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = None
    policy_number: str | None = None
    effective_from: date | None = None
    review_due: date | None = None
    area: str | None = None
    applies_to: str | None = None
    owner: str | None = None
    originated: date | None = None
    last_approved: date | None = None
    last_revised: date | None = None
    supersedes: str | None = None


class NextOf(BaseModel):
    """Of which document this is the next version."""

    model_config = ConfigDict(extra="forbid")
    document: str


class VersionsApi:
    """The same acts as on the pages of review."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["documents"])
        one = "/documents/{document_id}/versions/{number:int}"
        for path, method, view in (
            (one, "GET", self.version),
            (f"{one}/difference", "GET", self.difference),
            (f"{one}/fields", "PUT", self.state),
            (f"{one}/acts", "POST", self.act),
            (f"{one}/attach", "POST", self.attach),
            ("/jobs/{job_id}/retry", "POST", self.retry),
            ("/receipts", "GET", self.receipts),
        ):
            router.add_api_route(path, view, methods=[method], response_model=None)
        return router

    def version(self, request: Request, document_id: str, number: int) -> Json:
        """One version; for those who load and approve, with what was found in it and done to it."""
        return self._shown(caller_of(request), document_id, number)

    def difference(
        self,
        request: Request,
        document_id: str,
        number: int,
        other: int | None = Query(None, alias="with", ge=1),
    ) -> Json:
        """What changed since the version in force, or since another one."""
        caller = caller_of(request)
        found = compare(self._platform, caller, document_id, number, other)
        return {
            "document": document_id,
            "from": found.old.version,
            "to": found.new.version,
            "changes": [change_json(one) for one in found.changes],
        }

    def state(self, request: Request, document_id: str, number: int, body: Stated) -> Json:
        """State the fields of a draft anew, all of them."""
        caller = caller_of(request)
        version = self._version(caller, document_id, number)
        require_act(caller, version.department, Act.CHANGE)
        fields = PolicyFields(**body.model_dump())
        self._platform.publisher.change(caller.actor, version.version_id, fields)
        return self._shown(caller, document_id, number)

    def act(self, request: Request, document_id: str, number: int, body: Decision) -> Json:
        """Submit, approve, put in force, recall or retire a version."""
        caller = caller_of(request)
        version = self._version(caller, document_id, number)
        decide(self._platform, caller, version, body.act, body.reason, body.looked)
        return self._shown(caller, document_id, number)

    def attach(self, request: Request, document_id: str, number: int, body: NextOf) -> Json:
        """Make a draft the next version of another document."""
        caller = caller_of(request)
        version = self._version(caller, document_id, number)
        require_act(caller, version.department, Act.CHANGE)
        self._platform.publisher.attach(caller.actor, version.version_id, body.document)
        newest = detail_for(caller, self._platform.policies, body.document).versions[0]
        return self._shown(caller, body.document, newest.version)

    def retry(self, request: Request, job_id: str) -> Response:
        """Load again what a job could not load."""
        caller = caller_of(request)
        job = job_for(caller, self._platform.jobs, job_id, Permission.DOCUMENTS_LOAD)
        submitted = self._platform.loader.retry(caller.actor, job.version_id or "")
        return JSONResponse(submitted_json(submitted), status_code=202)

    def receipts(self, request: Request, limit: int = Query(100, ge=1, le=1000)) -> Json:
        """What was removed, and what was left of it afterwards; newest first."""
        places = caller_of(request).departments(Permission.DRAFTS_READ)
        found = self._platform.publisher.receipts([one.id for one in places], limit)
        names: dict[str, Any] = {one.id: one.name for one in places}
        return {"receipts": [receipt_json(one, names[one.department_id]) for one in found]}

    def _version(self, caller: Caller, document_id: str, number: int) -> DocumentSummary:
        return version_for(caller, self._platform.policies, document_id, number)

    def _shown(self, caller: Caller, document_id: str, number: int) -> Json:
        version = self._version(caller, document_id, number)
        policies, version_id = self._platform.policies, version.version_id
        if version.department not in caller.department_names(Permission.DRAFTS_READ):
            return summary_json(version)
        return {
            **version_json(version, policies.checks(version_id)),
            "steps": rows_json(self._platform.life.steps(version_id)),
            "proposed": rows_json(policies.proposals(version_id)),
            "kin": rows_json(self._platform.identity.kin(version_id)),
        }
