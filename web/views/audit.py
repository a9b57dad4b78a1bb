"""The audit pages: who did what, questions, emergencies to review, proofs, export and the check."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from governance.audit.export import Profile
from governance.audit.search import Filter
from governance.errors import GovernanceError
from governance.events import Action
from governance.people import Person
from governance.permissions import Permission
from web.caller import Caller, caller_of
from web.errors import WebError, WrongField
from web.event_words import Names, action_words, entry_of
from web.form import choice_in, date_in, end_of, read_form, start_of
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.trail import PAGE_SIZE, places_of

HERE = "/audit"
DONE: Mapping[str, str] = {
    "checked": "The trail was checked.",
    "reviewed": "The review was recorded.",
}
ACTIONS = tuple(sorted(((one.value, action_words(one)) for one in Action), key=lambda one: one[1]))
QUESTIONS_SHOWN = 20
TEXT = "text/plain; charset=utf-8"


class AuditPages:
    """`/audit` and what is done there."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/audit", self.page, methods=["GET"]),
            Route("/audit/verify", self.verify, methods=["POST"]),
            Route("/audit/export", self.export, methods=["POST"]),
            Route("/audit/questions", self.questions, methods=["GET"]),
            Route("/audit/questions/{question_id}", self.question, methods=["GET"]),
            Route("/audit/emergencies/{grant_id}/review", self.review, methods=["POST"]),
            Route("/audit/{seq:int}", self.entry, methods=["GET"]),
            Route("/audit/{seq:int}/proof", self.proof, methods=["GET"]),
            Route("/audit/{seq:int}/leaf", self.leaf, methods=["GET"]),
        ]

    def page(self, request: Request) -> Response:
        """The newest events, or those that were looked for."""
        return self._page(request)

    def verify(self, request: Request) -> Response:
        """Check the whole trail now."""
        del request
        self._platform.trail.check()
        return RedirectResponse("/audit?done=checked", status_code=303)

    async def export(self, request: Request) -> Response:
        """The trail as a file of JSON lines."""
        fields = await read_form(request)
        return await run_in_threadpool(self._export, request, fields)

    def entry(self, request: Request) -> Response:
        """One event with all that it says."""
        caller = caller_of(request)
        found = self._platform.trail.entry(caller, request.path_params["seq"])
        return self._pages.page(
            "audit/entry.html",
            request=request,
            here=HERE,
            entry=entry_of(found, self._names(caller)),
            may_read=caller.may_somewhere(Permission.QUESTIONS_READ),
        )

    def proof(self, request: Request) -> Response:
        """The receipt of an event, to be checked without us."""
        seq = request.path_params["seq"]
        proof = self._platform.trail.proof(caller_of(request), seq)
        return _file(proof.text, f"event-{seq}.tlog-proof", TEXT)

    def leaf(self, request: Request) -> Response:
        """The event as it was hashed."""
        seq = request.path_params["seq"]
        text = self._platform.trail.leaf(caller_of(request), seq)
        return _file(text, f"event-{seq}.json", "application/json")

    def questions(self, request: Request) -> Response:
        """What was asked lately, without the text."""
        caller = caller_of(request)
        places = [one.id for one in caller.departments(Permission.QUESTIONS_READ)]
        asked = self._platform.questions.search(places, limit=QUESTIONS_SHOWN)
        names = self._names(caller)
        return self._pages.page(
            "audit/questions.html", request=request, here=HERE, asked=asked, names=names
        )

    def question(self, request: Request) -> Response:
        """One question, with its text where it is kept; that it was read is recorded."""
        caller = caller_of(request)
        places = [one.id for one in caller.departments(Permission.QUESTIONS_READ)]
        asked, text = self._platform.questions.read(
            caller.actor, request.path_params["question_id"], places
        )
        return self._pages.page(
            "audit/question.html",
            request=request,
            here=HERE,
            asked=asked,
            text=text,
            names=self._names(caller),
        )

    def review(self, request: Request) -> Response:
        """Record that somebody looked at an emergency."""
        caller, grant_id = caller_of(request), request.path_params["grant_id"]
        places = places_of(caller, Permission.EMERGENCIES_REVIEW)
        waiting = self._platform.emergencies.open_reviews(places)
        try:
            if grant_id not in {held.id for held in waiting}:
                raise WrongField("emergencies", "This is reviewed already.", "Reload the list.")
            self._platform.emergencies.review(caller.actor, grant_id)
        except (GovernanceError, WebError) as error:
            return self._page(request, error)
        return RedirectResponse("/audit?done=reviewed", status_code=303)

    def _export(self, request: Request, fields: Mapping[str, str]) -> Response:
        caller = caller_of(request)
        profile = choice_in(fields, "profile", Profile, "a kind of file")
        place = _department(caller, fields.get("department", ""), Permission.AUDIT_EXPORT)
        lines = self._platform.trail.export(caller, profile, place)
        name = f'attachment; filename="audit-{profile.value}.jsonl"'
        return StreamingResponse(
            lines, media_type="application/jsonl", headers={"Content-Disposition": name}
        )

    def _page(self, request: Request, error: GovernanceError | WebError | None = None) -> Response:
        caller = caller_of(request)
        fields = dict(request.query_params)
        found: list[Any] = []
        older: int | None = None
        try:
            wanted = self._filter(fields)
            place = _department(caller, fields.get("department", ""), Permission.AUDIT_READ)
            before = _before(fields)
            entries = self._platform.trail.search(
                caller, wanted, place, before=before, limit=PAGE_SIZE + 1
            )
            names = self._names(caller)
            found = [entry_of(one, names) for one in entries[:PAGE_SIZE]]
            older = entries[PAGE_SIZE - 1].seq if len(entries) > PAGE_SIZE else None
        except WrongField as fault:
            error = error or fault
        problem = problem_of(error) if error else None
        return self._pages.page(
            "audit/page.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            entries=found,
            older=None if older is None else _next_page(request, older),
            newest=_next_page(request, None) if "before" in fields else None,
            fields=fields,
            problem=problem,
            problem_at=error.field if isinstance(error, WrongField) else "emergencies",
            done=DONE.get(request.query_params.get("done", "")),
            actions=ACTIONS,
            places=caller.departments(Permission.AUDIT_READ),
            may_read=caller.may_somewhere(Permission.QUESTIONS_READ),
            may_export=caller.may_somewhere(Permission.AUDIT_EXPORT),
            checked=self._platform.trail.checked,
            trouble=self._platform.trail.trouble,
            **self._emergencies(caller),
        )

    def _emergencies(self, caller: Caller) -> dict[str, Any]:
        places = places_of(caller, Permission.EMERGENCIES_REVIEW)
        waiting = self._platform.emergencies.open_reviews(places) if places != () else ()
        return {
            "emergencies": waiting,
            "names": self._names(caller) if waiting else None,
            "now": caller.clock(),
            "me_id": caller.principal.person_id,
        }

    def _filter(self, fields: Mapping[str, str]) -> Filter:
        """What to look for. Raises WrongField."""
        return Filter(
            actor_id=self._actor(fields.get("who", "").strip()),
            action=choice_in(fields, "act", Action, "a kind of act").value
            if fields.get("act")
            else None,
            object_id=fields.get("object", "").strip() or None,
            since=start_of(date_in(fields, "from")),
            until=end_of(date_in(fields, "to")),
        )

    def _actor(self, who: str) -> str | None:
        """The identity of a user name, a name or an identity. Raises WrongField."""
        if not who or "|" in who:
            return who or None
        person: Person | None = self._platform.people.by_username(who)
        if person is None:
            same = [one for one in self._platform.people.people() if one.name == who]
            person = same[0] if len(same) == 1 else None
        if person is None:
            raise WrongField(
                "who", "There is nobody of this name.", "Use the user name, as the list shows it."
            )
        return f"{person.issuer}|{person.subject}"

    def _names(self, caller: Caller) -> Names:
        titles = self._platform.policies.documents()
        return Names(
            people={one.id: one.name for one in self._platform.people.people()},
            departments={one.id: one.name for one in caller.known},
            documents={one.document_id: one.title for one in titles},
        )


def _before(fields: Mapping[str, str]) -> int | None:
    text = fields.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _department(caller: Caller, name: str, permission: Permission) -> str | None:
    """The id of a department of the caller's; None where none is named. Raises WrongField."""
    if not name:
        return None
    for place in caller.departments(permission):
        if place.name == name:
            return place.id
    raise WrongField("department", "There is no such department.", "Choose one from the list.")


def _next_page(request: Request, before: int | None) -> str:
    """The address of this search from another event on."""
    kept = {k: v for k, v in request.query_params.items() if k not in ("done", "before") and v}
    if before is not None:
        kept["before"] = str(before)
    return f"/audit?{urlencode(kept)}"


def _file(text: str, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=headers)
