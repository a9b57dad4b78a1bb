"""Whoever runs the platform rebuilds its index; only on the machine itself is it backed up."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import JSONResponse, Response

from governance.clock import utc_now
from governance.events import Event
from governance.permissions import Grant, Principal, Role
from web.api.operations import OperationsApi
from web.caller import Caller
from web.parts import Platform
from web.problems import problem_of
from web.testing import ScriptedOperations

OWNER = Principal(None, "local", "owner", "Owner", "socket", (Grant(Role.ADMINISTRATOR, None),))


class Desk:
    """The two routes, and whoever calls them."""

    def __init__(self, client: TestClient, operations: ScriptedOperations) -> None:
        self.client = client
        self.operations = operations
        self.principal = OWNER
        self.noted: list[Event] = []

    def caller(self) -> Caller:
        return Caller(
            self.principal, None, "", (), "request", self.caller, self.noted.append, utc_now
        )

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = self.client.post(path, json=body)
        return answer.status_code, answer.json()


@pytest.fixture
def desk() -> Iterator[Desk]:
    operations = ScriptedOperations()
    app = FastAPI(telemetry={"auto_configure": False})
    app.include_router(OperationsApi(cast("Platform", _Only(operations))).router())

    @app.middleware("http")
    async def _sign_in(request: Request, go_on: Callable[[Request], Any]) -> Response:
        request.state.caller = desk.caller()
        return cast("Response", await go_on(request))

    @app.exception_handler(Exception)
    async def _refuse(_request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        body = {"type": problem.type, "message": problem.message}
        return JSONResponse(body, problem.status)

    with TestClient(app, raise_server_exceptions=False) as client:
        desk = Desk(client, operations)
        yield desk


class _Only:
    """As much of a platform as these routes use."""

    def __init__(self, operations: ScriptedOperations) -> None:
        self.operations = operations


def test_the_owner_rebuilds_and_backs_up(desk: Desk) -> None:
    """Both are done in the name of whoever asked."""
    assert desk.post("/api/v1/index/rebuild", {}) == (200, {"passages": 3})
    status, made = desk.post("/api/v1/backups", {"destination": "/backup", "with_keys": False})
    assert (status, made["keys"]) == (200, False)
    assert desk.post("/api/v1/audit/rotate-key", {})[0] == 200
    asked = [what for what, _ in desk.operations.asked]
    assert asked == ["rebuild", "back up to /backup", "rotate"]
    assert {actor.id for _, actor in desk.operations.asked} == {"local|owner"}


def test_whoever_does_not_run_the_platform_is_refused(desk: Desk) -> None:
    """A department's administrator runs a department, not the platform; the refusal is recorded."""
    grants = (Grant(Role.DEPARTMENT_ADMINISTRATOR, "pharmacy"),)
    desk.principal = replace(OWNER, grants=grants)
    assert desk.post("/api/v1/index/rebuild", {})[0] == 403
    assert desk.post("/api/v1/backups", {"destination": "/backup"})[0] == 403
    assert desk.post("/api/v1/audit/rotate-key", {})[0] == 403
    assert desk.operations.asked == []
    assert len(desk.noted) == 3


def test_nobody_names_a_folder_of_this_machine_from_afar(desk: Desk) -> None:
    """An administrator at a browser may rebuild, but a backup is made on the machine."""
    desk.principal = replace(OWNER, auth="password")
    assert desk.post("/api/v1/index/rebuild", {})[0] == 200
    status, problem = desk.post("/api/v1/backups", {"destination": "/backup"})
    assert (status, problem["type"]) == (403, "socket_only")
    status, problem = desk.post("/api/v1/audit/rotate-key", {})
    assert (status, problem["type"]) == (403, "socket_only")
    assert desk.operations.asked[1:] == []


@pytest.mark.parametrize(
    "body", [{"destination": "backup"}, {}, {"destination": "/b", "extra": 1}, {"destination": 1}]
)
def test_a_bad_request_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    """A relative folder would be one of the platform's, not of whoever asks."""
    assert desk.post("/api/v1/backups", body)[0] == 422
    assert desk.operations.asked == []
