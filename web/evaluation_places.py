"""Whose evaluation a page is about: the department that was named, where the caller may."""

from starlette.requests import Request

from governance.errors import NotFound
from governance.evaluation_runs import Run
from governance.permissions import Permission
from governance.policies import Department
from web.caller import Caller, caller_of
from web.errors import NoDepartment
from web.parts import Platform

HERE = "/evaluation"
NOT_HERE = ("There is no such department.", "Go back and choose one from the list.")
NO_RUN = ("There is no such evaluation.", "Go back to the list of evaluations.")


def place_in(request: Request) -> Department:
    """The department named in the address, or the first. Raises NotFound, NoDepartment."""
    return place_called(caller_of(request), request.query_params.get("in", ""))


def place_called(caller: Caller, department_id: str) -> Department:
    """The department of this id; without an id the first. Raises NotFound, NoDepartment."""
    known = caller.departments(Permission.EVALUATIONS_MANAGE)
    if not department_id:
        if not known:
            raise NoDepartment
        return known[0]
    place = next((one for one in caller.known if one.id == department_id), None)
    if place is None:
        raise NotFound(*NOT_HERE)
    caller.require_in(Permission.EVALUATIONS_MANAGE, place.name, NotFound(*NOT_HERE))
    return place


def run_called(platform: Platform, caller: Caller, run_id: str) -> tuple[Run, Department]:
    """A run and its department. Raises NotFound, Forbidden."""
    run = platform.evaluations.runs.run(run_id)
    place = next((one for one in caller.known if one.id == run.department_id), None)
    name = place.name if place else ""
    caller.require_in(Permission.EVALUATIONS_MANAGE, name, NotFound(*NO_RUN))
    if place is None:
        raise NotFound(*NO_RUN)
    return run, place
