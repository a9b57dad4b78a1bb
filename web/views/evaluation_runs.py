"""The pages of a run: its progress, figures, questions and report, and two of them compared."""

import re
import time
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError, NotFound
from governance.evaluation_runs import Run, RunItem, RunState
from governance.policies import Department
from rag.figures import CameBack, Change, came_back, compare
from rag.gate import MONTH_COST, criteria_of
from rag.report.content import Report
from rag.report.page import html
from rag.report.run_result import report_of_run
from rag.report.sheets import pdf
from rag.report.words import between, called, explained, number
from web.caller import caller_of
from web.evaluation_places import HERE, NO_RUN, run_called
from web.evaluation_words import CAME_BACK, CHANGES, MEANINGS, RUN_STATES, chance_words
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.shelf import Shelf

DONE: Mapping[str, str] = {
    "stopped": "The evaluation was stopped. What was asked until now is kept.",
    "baseline": "Later evaluations are compared with this one from now on.",
}
SHOWN = 50
# Intervals take a moment to reckon, and a run that has ended stays as it is.
REPORTS_KEPT = 20
REPORTS_KEPT_S = 600.0
# The report has its style and its drawings inside, and may do nothing else.
REPORT_POLICY = (
    "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox"
)
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


class RunPages:
    """`/evaluation/runs/{run_id}` and `/evaluation/comparison`."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages
        self._runs = platform.evaluations.runs
        self._reports: Shelf[Report] = Shelf(REPORTS_KEPT, REPORTS_KEPT_S, time.monotonic)

    def routes(self) -> list[Route]:
        """Where these pages are."""
        one = "/evaluation/runs/{run_id}"
        return [
            Route(one, self.page, methods=["GET"]),
            Route(f"{one}/progress", self.progress, methods=["GET"]),
            Route(f"{one}/stop", self.stop, methods=["POST"]),
            Route(f"{one}/baseline", self.make_baseline, methods=["POST"]),
            Route(f"{one}/report", self.report, methods=["GET"]),
            Route(f"{one}/report.pdf", self.report_pdf, methods=["GET"]),
            Route("/evaluation/comparison", self.comparison, methods=["GET"]),
        ]

    def page(self, request: Request) -> Response:
        """One run."""
        return self._page(request, "evaluation/run.html")

    def progress(self, request: Request) -> Response:
        """What changes of it while it goes on, as a fragment; at its end, its figures."""
        return self._page(request, "evaluation/_run.html")

    def stop(self, request: Request) -> Response:
        """End it before its end."""
        caller = caller_of(request)
        run, _ = self._run(request)
        self._runs.stop(caller.actor, run.id, caller.clock())
        return RedirectResponse(f"/evaluation/runs/{run.id}?done=stopped", status_code=303)

    def make_baseline(self, request: Request) -> Response:
        """Compare others with it."""
        run, _ = self._run(request)
        try:
            self._runs.make_baseline(caller_of(request).actor, run.id)
        except GovernanceError as error:
            return self._page(request, "evaluation/run.html", error)
        return RedirectResponse(f"/evaluation/runs/{run.id}?done=baseline", status_code=303)

    def report(self, request: Request) -> Response:
        """The report for whoever decides on the pilot. Raises NotFound."""
        run, place = self._finished(request)
        page = html(self._report(run, place, self._runs.items(run.id)))
        found = STYLE.search(page)
        style = b64encode(sha256(found[1].encode() if found else b"").digest()).decode()
        policy = REPORT_POLICY.format(style=style)
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    def report_pdf(self, request: Request) -> Response:
        """The same on paper. Raises NotFound."""
        run, place = self._finished(request)
        content = pdf(self._report(run, place, self._runs.items(run.id)))
        name = f'attachment; filename="evaluation-{run.id[:8]}.pdf"'
        headers = {"Content-Disposition": name}
        return Response(content, media_type="application/pdf", headers=headers)

    def comparison(self, request: Request) -> Response:
        """Two runs side by side, question by question. Raises NotFound."""
        query = request.query_params
        before, place = run_called(self._platform, caller_of(request), query.get("before", "none"))
        after, other = run_called(self._platform, caller_of(request), query.get("after", "none"))
        if place != other or before.state is not RunState.DONE or after.state is not RunState.DONE:
            raise NotFound(*NO_RUN)
        first, second = self._runs.items(before.id), self._runs.items(after.id)
        found = compare(first, second)
        wanted = query.get("show", "")
        shown = [one for one in found.pairs if wanted in ("", one.change.value)]
        return self._pages.page(
            "evaluation/comparison.html",
            request=request,
            here=HERE,
            place=place,
            before=before,
            after=after,
            counts={change: found.count(change) for change in Change},
            found=found,
            chance=chance_words(found.p),
            figures=_side_by_side(
                self._report(before, place, first), self._report(after, place, second)
            ),
            shown=shown[:SHOWN],
            more=len(shown) - SHOWN,
            wanted=wanted,
            changes=CHANGES,
            sorted_as=lambda item: CAME_BACK[came_back(item)],
            **_figure_words(),
        )

    def _page(
        self, request: Request, template: str, error: GovernanceError | None = None
    ) -> Response:
        run, place = self._run(request)
        problem = problem_of(error) if error else None
        values: dict[str, Any] = {} if run.is_open else self._ended(request, run, place)
        return self._pages.page(
            template,
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            place=place,
            run=run,
            states=RUN_STATES,
            interval_ms=self._platform.settings.progress_interval_ms,
            done=DONE.get(request.query_params.get("done", "")),
            problem=problem,
            **values,
        )

    def _ended(self, request: Request, run: Run, place: Department) -> dict[str, Any]:
        items = self._runs.items(run.id)
        wanted = request.query_params.get("show", "")
        shown = [one for one in items if wanted in ("", came_back(one).value)]
        others = [
            one
            for one in self._runs.runs(place.id)
            if one.state is RunState.DONE and one.id != run.id
        ]
        return {
            "report": self._report(run, place, items),
            "counts": {
                kind: sum(came_back(one) is kind for one in items)
                for kind in CameBack
                if kind is not CameBack.UNASKED or run.done < run.total
            },
            "shown": shown[:SHOWN],
            "more": len(shown) - SHOWN,
            "wanted": wanted,
            "others": sorted(others, key=lambda one: not one.is_baseline),
            "came_back": CAME_BACK,
            "meanings": MEANINGS,
            "sorted_as": came_back,
            **_figure_words(),
        }

    def _report(self, run: Run, place: Department, items: tuple[RunItem, ...]) -> Report:
        thresholds = self._platform.evaluations.gates.gate(place.id).thresholds
        # Of the time before the run's end, so that the same run gives the same report.
        use = self._platform.evaluations.use.before(place.id, run.ended_at or run.created_at)
        name = f"{run.id} {sorted(thresholds.items())} {use}"
        known = self._reports.get(name)
        if known is None:
            known = report_of_run(
                run,
                items,
                place.name,
                criteria_of(thresholds),
                use,
                thresholds.get(MONTH_COST),
            )
            self._reports.put(name, known)
        return known

    def _run(self, request: Request) -> tuple[Run, Department]:
        return run_called(self._platform, caller_of(request), request.path_params["run_id"])

    def _finished(self, request: Request) -> tuple[Run, Department]:
        run, place = self._run(request)
        if run.state is not RunState.DONE:
            raise NotFound("This evaluation is not finished.", "Wait for its end.")
        return run, place


def _figure_words() -> dict[str, Any]:
    return {"called": called, "explained": explained, "number": number, "between": between}


def _side_by_side(before: Report, after: Report) -> list[tuple[str, Any, Any, bool]]:
    """Name, both figures, and whether it is a share."""
    old = {name: one for name, one, _ in before.figures}
    return [(name, old.get(name), one, is_share) for name, one, is_share in after.figures]
