"""The pages of gold questions: the list of a department, one question, many from a file."""

from collections.abc import Callable
from urllib.parse import quote, urlencode

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError, NotFound
from governance.gold_questions import MAX_QUESTIONS, GoldQuestion
from governance.permissions import Permission
from governance.policies import Department
from web.caller import caller_of
from web.evaluation_form import (
    MAX_FILE_BYTES,
    GoldForm,
    draft_of,
    drafts_in,
    file_of,
    files_in_force,
    form_in,
    form_of,
    prefilled,
)
from web.evaluation_places import HERE, place_called, place_in
from web.evaluation_words import ANSWER_TYPES, ORIGINS
from web.form import read_form
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of

NO_QUESTION = ("There is no such gold question.", "Go back to the list of gold questions.")
PAGE = 25
DONE = {
    "saved": "The gold question was saved. The next evaluation asks it.",
    "retired": "The gold question was retired. It is asked no more.",
}


class GoldPages:
    """`/evaluation/questions` and what is done there."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages
        self._gold = platform.evaluations.gold

    def routes(self) -> list[Route]:
        """Where these pages are."""
        every = "/evaluation/questions"
        one = f"{every}/{{gold_id}}"
        return [
            Route(every, self.page, methods=["GET"]),
            Route(every, self.add, methods=["POST"]),
            Route(f"{every}/new", self.new, methods=["GET"]),
            Route(f"{every}/download", self.download, methods=["GET"]),
            Route(f"{every}/import", self.take_in, methods=["POST"]),
            Route(one, self.question, methods=["GET"]),
            Route(one, self.change, methods=["POST"]),
            Route(f"{one}/retire", self.retire, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """The list."""
        return self._list(request, place_in(request))

    def new(self, request: Request) -> Response:
        """The form of a new question, from feedback with what is known of it."""
        feedback = request.query_params.get("feedback", "")
        if not feedback:
            return self._form(request, place_in(request), GoldForm())
        caller = caller_of(request)
        places = caller.departments(Permission.FEEDBACK_SETTLE)
        given = self._platform.voices.feedback.one(feedback, [one.id for one in places])
        place = place_called(caller, given.department_id)
        files = {
            one.document_id: one.file_name
            for one in self._platform.policies.documents(place.name, drafts=False)
        }
        cited = [files[one] for one in given.policies if one in files]
        question = given.words.question if given.words else ""
        return self._form(request, place, prefilled(question, cited, given.id))

    async def add(self, request: Request) -> Response:
        """Add one question."""
        form = await read_form(request)
        return await run_in_threadpool(self._add, request, form)

    def question(self, request: Request) -> Response:
        """One question to be changed."""
        place, known = self._known(request)
        return self._form(request, place, form_of(known), known)

    async def change(self, request: Request) -> Response:
        """Change one question."""
        form = await read_form(request)
        return await run_in_threadpool(self._change, request, form)

    def retire(self, request: Request) -> Response:
        """Ask a question no more."""
        place, known = self._known(request)
        caller = caller_of(request)
        self._gold.retire(caller.actor, place.id, known.id, caller.clock())
        return _back(place, done="retired")

    async def take_in(self, request: Request) -> Response:
        """Add the questions of a file, or change those whose id is in use; all or none."""
        async with request.form(max_files=1, max_fields=5) as form:
            sent, wanted = form.get("file"), str(form.get("in", ""))
            content = await sent.read(MAX_FILE_BYTES + 1) if isinstance(sent, UploadFile) else b""
        return await run_in_threadpool(self._take_in, request, wanted, content)

    def download(self, request: Request) -> Response:
        """Those that are asked, as a file that `lamplight eval` and the import read."""
        place = place_in(request)
        content = file_of(self._gold.listed(place.id, caller_of(request).clock()))
        name = f"attachment; filename*=UTF-8''{quote(f'gold-questions-{place.name}.jsonl')}"
        return Response(
            content, media_type="application/jsonl", headers={"Content-Disposition": name}
        )

    def _add(self, request: Request, fields: dict[str, str]) -> Response:
        place, form = place_called(caller_of(request), fields.get("in", "")), form_in(fields)
        return self._saved(request, place, form, None)

    def _change(self, request: Request, fields: dict[str, str]) -> Response:
        place, known = self._known(request)
        return self._saved(request, place, form_in(fields), known)

    def _saved(
        self, request: Request, place: Department, form: GoldForm, known: GoldQuestion | None
    ) -> Response:
        caller = caller_of(request)
        try:
            if form.feedback:
                # Nobody says of a question that it is from feedback which they cannot see.
                self._platform.voices.feedback.one(form.feedback, [place.id])
                caller.require(Permission.FEEDBACK_SETTLE, place.id)
            self._gold.save(
                caller.actor,
                place.id,
                [draft_of(form)],
                caller.clock(),
                known.id if known else None,
            )
        except GovernanceError as error:
            return self._form(request, place, form, known, error)
        return _back(place, done="saved")

    def _take_in(self, request: Request, wanted: str, content: bytes) -> Response:
        caller = caller_of(request)
        place = place_called(caller, wanted)
        try:
            ids = self._gold.save(caller.actor, place.id, drafts_in(content), caller.clock())
        except GovernanceError as error:
            return self._list(request, place, error)
        return _back(place, imported=str(len(ids)))

    def _known(self, request: Request) -> tuple[Department, GoldQuestion]:
        """A question with its department. Raises NotFound."""
        caller, gold_id = caller_of(request), request.path_params["gold_id"]
        for place in caller.departments(Permission.EVALUATIONS_MANAGE):
            try:
                return place, self._gold.one(place.id, gold_id, caller.clock())
            except NotFound:
                continue
        raise NotFound(*NO_QUESTION)

    def _list(
        self, request: Request, place: Department, error: GovernanceError | None = None
    ) -> Response:
        query = request.query_params
        words, only = query.get("words", "").strip(), query.get("only", "")
        retired = only == "retired"
        every = self._gold.listed(place.id, caller_of(request).clock(), retired=True)
        shown = [one for one in every if one.is_active is not retired and _fits(one, words)]
        if only == "check":
            shown = [one for one in shown if one.check_again]
        last = max(1, -(-len(shown) // PAGE))
        number = min(last, _number(query.get("page", "")))
        problem, imported = problem_of(error) if error else None, query.get("imported", "")
        return self._pages.page(
            "evaluation/questions.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            place=place,
            places=caller_of(request).departments(Permission.EVALUATIONS_MANAGE),
            count=sum(one.is_active for one in every),
            checks=sum(one.is_active and one.check_again for one in every),
            most=MAX_QUESTIONS,
            shown=shown[(number - 1) * PAGE : number * PAGE],
            found=len(shown),
            number=number,
            last=last,
            link=_link(place, words, only),
            words=words,
            only=only,
            origins=ORIGINS,
            done=DONE.get(query.get("done", "")),
            imported=int(imported) if imported.isdecimal() and len(imported) < 6 else None,
            problem=problem,
        )

    def _form(
        self,
        request: Request,
        place: Department,
        form: GoldForm,
        known: GoldQuestion | None = None,
        error: GovernanceError | None = None,
    ) -> Response:
        problem = problem_of(error) if error else None
        return self._pages.page(
            "evaluation/question.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            place=place,
            form=form,
            known=known,
            files=files_in_force(self._platform.policies.documents(place.name, drafts=False)),
            answer_types=ANSWER_TYPES,
            problem=problem,
        )


def _fits(one: GoldQuestion, words: str) -> bool:
    return words.casefold() in f"{one.question}\n{one.key}".casefold()


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 5 else 1


def _link(place: Department, words: str, only: str) -> Callable[[int], str]:
    """The address of a page of this list."""
    known = {"in": place.id, "words": words, "only": only}

    def link(number: int) -> str:
        wanted = {name: value for name, value in known.items() if value} | {"page": str(number)}
        return f"/evaluation/questions?{urlencode(wanted)}"

    return link


def _back(place: Department, **said: str) -> Response:
    where = urlencode({"in": place.id, **said})
    return RedirectResponse(f"/evaluation/questions?{where}", status_code=303)
