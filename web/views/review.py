"""The pages on which a version is checked, submitted, approved, put in force and retired."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError, NotFound
from governance.missing_files import MissingFile
from governance.permissions import Permission
from governance.policies import DocumentSummary
from governance.policy_fields import DATES, NAMES, PolicyFields
from governance.version_life import NEED_REASON, LifeStep, identity_of
from governance.versions import Act
from web.approving import OWNER, OWNER_NAME
from web.caller import Caller, caller_of
from web.deciding import decide, may_act, require_act
from web.errors import WebError, WrongField
from web.field_words import FIELD_HINTS, FIELD_NAMES
from web.form import choice_in, read_form
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.reviewing import (
    FOLDED,
    LABELS,
    MEANINGS,
    OFFERED,
    STEP_WORDS,
    Reader,
    acts_for,
    next_words,
    queue_of,
)
from web.scoped import NO_DOCUMENT, documents_for, job_for, version_for
from web.uploads import date_of
from web.version_words import state_words
from web.watching import Watches

PROGRAMS = {"lamplight|system": "Lamplight itself", "lamplight|watch": "a watched folder"}
DONE: Mapping[str, str] = {
    "submit": "It is submitted. Somebody else has to approve it.",
    "approve": "It is approved.",
    "send_back": "It was sent back and is a draft again.",
    "fix": "The fix is in force.",
    "override": "It is in force. That nobody else approved it is recorded.",
    "recall": "The approval was recalled. It is a draft again.",
    "retire": "It is retired and answers nobody any more.",
    "retry": "The file is being read again.",
    "fields": "What you stated is saved.",
    "attach": "It is now the next version of this policy.",
}


class ReviewPages:
    """`/review` and `/documents/{id}/versions/{number}/review`."""

    def __init__(self, platform: Platform, pages: Pages, watches: Watches) -> None:
        self._platform = platform
        self._watches = watches
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        one = "/documents/{document_id}/versions/{number:int}/review"
        return [
            Route("/review", self.queue, methods=["GET"]),
            Route(one, self.version, methods=["GET"]),
            Route(f"{one}/act", self.act, methods=["POST"]),
            Route(f"{one}/fields", self.state, methods=["POST"]),
            Route(f"{one}/attach", self.attach, methods=["POST"]),
            Route("/documents/jobs/{job_id}/retry", self.retry, methods=["POST"]),
        ]

    def queue(self, request: Request) -> Response:
        """What waits, and for whom."""
        caller = caller_of(request)
        places = caller.department_names(Permission.DRAFTS_READ)
        found = documents_for(caller, self._platform.policies)
        queue = queue_of(
            [one for one in found if one.department in places],
            caller.clock().date(),
            caller.department_names(Permission.DOCUMENTS_LOAD),
        )
        return self._pages.page(
            "review/queue.html",
            request=request,
            here="/review",
            queue=queue,
            missing=_gone(self._watches.missing(caller), found),
            keepable=caller.department_names(Permission.DOCUMENTS_LOAD),
            people=self._names(),
            several=len(places) > 1,
        )

    def version(self, request: Request) -> Response:
        """One version: what it states, what was found in it, and what may be done."""
        return self._show(request, self._version(request))

    async def act(self, request: Request) -> Response:
        """Do one act."""

        def act(caller: Caller, version: DocumentSummary, form: Mapping[str, str]) -> str:
            wanted = choice_in(form, "act", Act, "what to do")
            looked = form.get("looked") == "yes"
            decide(self._platform, caller, version, wanted, form.get("reason", ""), looked)
            return wanted.value

        return await self._do(request, act)

    async def state(self, request: Request) -> Response:
        """State the fields anew, and submit the version if that was pressed."""

        def change(caller: Caller, version: DocumentSummary, form: Mapping[str, str]) -> str:
            require_act(caller, version.department, Act.CHANGE)
            self._platform.publisher.change(caller.actor, version.version_id, _fields_in(form))
            if form.get("then") != Act.SUBMIT:
                return "fields"
            decide(self._platform, caller, version, Act.SUBMIT, "", form.get("looked") == "yes")
            return Act.SUBMIT.value

        return await self._do(request, change)

    async def attach(self, request: Request) -> Response:
        """Make it the next version of another policy, and go there."""
        form = await read_form(request)
        return await run_in_threadpool(self._attach, request, form)

    async def retry(self, request: Request) -> Response:
        """Load again what a job could not load."""
        await run_in_threadpool(self._retry, request)
        return RedirectResponse("/documents", status_code=303)

    def _attach(self, request: Request, form: Mapping[str, str]) -> Response:
        caller, version = caller_of(request), self._version(request)
        require_act(caller, version.department, Act.CHANGE)
        target = form.get("document", "")
        try:
            self._platform.publisher.attach(caller.actor, version.version_id, target)
        except GovernanceError as error:
            return self._show(request, version, form, error)
        number = self._platform.policies.document(target).versions[0].version
        return RedirectResponse(
            f"/documents/{target}/versions/{number}/review?done=attach", status_code=303
        )

    def _retry(self, request: Request) -> None:
        caller = caller_of(request)
        job_id = request.path_params["job_id"]
        job = job_for(caller, self._platform.jobs, job_id, Permission.DOCUMENTS_LOAD)
        self._platform.loader.retry(caller.actor, job.version_id or "")

    async def _do(
        self,
        request: Request,
        act: Callable[[Caller, DocumentSummary, Mapping[str, str]], str],
    ) -> Response:
        form = await read_form(request)
        return await run_in_threadpool(self._done, request, form, act)

    def _done(
        self,
        request: Request,
        form: Mapping[str, str],
        act: Callable[[Caller, DocumentSummary, Mapping[str, str]], str],
    ) -> Response:
        """Do something, then show it; a refusal is shown with what was typed."""
        caller, version = caller_of(request), self._version(request)
        try:
            done = act(caller, version, form)
        except (GovernanceError, WrongField) as error:
            if isinstance(error, NotFound):
                raise
            return self._show(request, self._version(request), form, error)
        path = f"/documents/{version.document_id}/versions/{version.version}/review"
        return RedirectResponse(f"{path}?done={done}", status_code=303)

    def _version(self, request: Request) -> DocumentSummary:
        caller, path = caller_of(request), request.path_params
        found = version_for(caller, self._platform.policies, path["document_id"], path["number"])
        gone = NotFound(*NO_DOCUMENT)
        caller.require_in(Permission.DRAFTS_READ, found.department, gone)
        return found

    def _show(
        self,
        request: Request,
        version: DocumentSummary,
        form: Mapping[str, str] | None = None,
        error: GovernanceError | WebError | None = None,
    ) -> Response:
        caller, policies = caller_of(request), self._platform.policies
        steps = self._platform.life.steps(version.version_id)
        document = policies.document(version.document_id)
        in_force = document.in_force
        other = in_force if in_force and in_force.version != version.version else None
        may = frozenset(act for act in OFFERED if may_act(caller, version.department, act))
        reader = Reader(identity_of(caller.actor), may)
        acts = acts_for(version, steps, reader, other is not None)
        # Whoever may submit a draft states its fields in the same form.
        may_change = Act.SUBMIT in acts
        problem = problem_of(error) if error else None
        return self._pages.page(
            "review/page.html",
            status=problem.status if problem else 200,
            request=request,
            here="/review",
            problem=problem,
            problem_at=error.field if isinstance(error, WrongField) else "",
            done=DONE.get(request.query_params.get("done", ""), "") if not problem else "",
            version=version,
            other=other,
            earlier=any(one.version < version.version for one in document.versions),
            state=state_words(version.state),
            next=next_words(version, steps, reader),
            acts=tuple(act for act in acts if act is not Act.SUBMIT),
            fields=_shown_fields(version, policies.proposals(version.version_id), form),
            may_change=may_change,
            checks=policies.checks(version.version_id),
            kin=self._platform.identity.kin(version.version_id) if may_change else (),
            steps=[(step, _step_words(step)) for step in steps],
            people=self._names(),
            typed=form or {},
            labels=LABELS,
            meanings=MEANINGS,
            folded=FOLDED,
            need_reason=NEED_REASON,
        )

    def _names(self) -> dict[str, str]:
        people = {one.id: one.name for one in self._platform.people.people()}
        return people | {OWNER: OWNER_NAME, **PROGRAMS}


def _gone(
    missing: Sequence[MissingFile], versions: Sequence[DocumentSummary]
) -> list[tuple[MissingFile, DocumentSummary]]:
    """Files that are gone, each with its policy: the version in force, else the newest."""
    ordered = sorted(versions, key=lambda one: (one.state == "effective", one.version))
    shown = {one.document_id: one for one in ordered}
    return [(one, shown[one.document_id]) for one in missing if one.document_id in shown]


def _step_words(step: LifeStep) -> str:
    """What somebody did: `changed what is stated: Owner, Next review`."""
    if step.act is not Act.CHANGE:
        return f"{STEP_WORDS[step.act]}: {step.reason}" if step.reason else STEP_WORDS[step.act]
    names = [FIELD_NAMES.get(name, name) for name in step.reason.split(", ")]
    return f"{STEP_WORDS[step.act]}: {', '.join(names)}"


def _fields_in(form: Mapping[str, str]) -> PolicyFields:
    """What the form states. Raises WrongField."""
    given: dict[str, Any] = {name: form.get(name, "") or None for name in NAMES}
    for name in DATES:
        try:
            given[name] = date_of(given[name])
        except ValueError:
            raise WrongField(
                name,
                f"{FIELD_NAMES[name]} is not a date: {given[name][:40]}.",
                "Write it as year-month-day, such as 2026-03-01.",
            ) from None
    return PolicyFields(**given)


def _shown_fields(
    version: DocumentSummary, proposals: Any, form: Mapping[str, str] | None
) -> list[dict[str, Any]]:
    """Each field with what is stated or typed, and what the file proposes."""
    proposed = {one.name: one for one in proposals}
    shown: list[dict[str, Any]] = []
    for name in NAMES:
        stated = getattr(version, name)
        proposal = proposed.get(name)
        value = str(stated) if stated is not None else ""
        suggested = value or (proposal.value if proposal else "")
        shown.append(
            {
                "name": name,
                "label": FIELD_NAMES[name],
                "hint": FIELD_HINTS.get(name, ""),
                "is_date": name in DATES,
                "stated": stated,
                "value": form.get(name, "") if form and name in form else suggested,
                "proposal": proposal if proposal and proposal.value != value else None,
            }
        )
    return shown
