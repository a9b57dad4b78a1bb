"""`/api/v1/audit`: the trail for programs: search, check, proofs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from starlette.responses import PlainTextResponse, Response

from governance.audit.search import PAGE_MAX, Filter, Found
from governance.events import Action
from governance.permissions import Permission
from web.api.people import Nothing
from web.api.shapes import Json
from web.caller import caller_of
from web.departments import choose
from web.parts import Platform
from web.trail import PAGE_SIZE, Checked


class AuditApi:
    """The same acts as on the audit page."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["audit"])
        for path, method, view in (
            ("/audit", "GET", self.search),
            ("/audit/verify", "POST", self.verify),
            ("/audit/{seq}/proof", "GET", self.proof),
        ):
            router.add_api_route(path, view, methods=[method], response_model=None)
        return router

    def search(
        self,
        request: Request,
        actor: str | None = None,
        action: Action | None = None,
        object: str | None = None,
        department: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        before: Annotated[int | None, Query(ge=0)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_SIZE,
    ) -> Json:
        """Events, newest first; actor is `issuer|subject`; `before` continues a page."""
        caller = caller_of(request)
        places = caller.departments(Permission.AUDIT_READ)
        place = choose(places, department).id if department else None
        wanted = Filter(actor, action, object, since, until)
        found = self._platform.trail.search(caller, wanted, place, before=before, limit=limit)
        return {"events": [_event_json(one) for one in found]}

    def verify(self, request: Request, body: Nothing | None = None) -> Json:
        """Check the whole trail now."""
        del body, request
        return checked_json(self._platform.trail.check())

    def proof(self, request: Request, seq: int) -> Response:
        """The receipt of one event as a `.tlog-proof` file."""
        return PlainTextResponse(self._platform.trail.proof(caller_of(request), seq).text)


def checked_json(checked: Checked) -> Json:
    """How the trail was found to be."""
    verdict = checked.verdict
    return {
        "state": "whole" if verdict.code == 0 else verdict.code.name.lower(),
        "events": verdict.size,
        "root": None if verdict.root is None else verdict.root.hex(),
        "checkpoints": verdict.checkpoints,
        "anchored": verdict.anchored,
        "findings": [{"code": one.code.name.lower(), "text": one.text} for one in verdict.findings],
        "remarks": list(verdict.remarks),
        "checked_at": checked.at.isoformat(),
    }


def _event_json(found: Found) -> Json:
    return {"seq": found.seq, "at": found.at.isoformat(), "event": found.body}
