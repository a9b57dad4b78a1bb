"""`/api/v1/{index/rebuild,backups,audit/rotate-key,administrator-link}`: running the platform."""

from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from governance.permissions import Permission
from web.api.shapes import Json
from web.caller import Caller, caller_of
from web.errors import BadField, SocketOnly
from web.parts import Platform

SOCKET = "socket"


class Nothing(BaseModel):
    """A request that says nothing but what its address says."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewBackup(BaseModel):
    """What `POST /api/v1/backups` takes; destination is a folder of the platform's own machine."""

    model_config = ConfigDict(extra="forbid", strict=True)
    destination: str
    with_keys: bool = True


class OperationsApi:
    """Rebuild the index, make a backup."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["operations"])
        views: dict[str, Callable[..., Json]] = {
            "/index/rebuild": self.rebuild,
            "/backups": self.back_up,
            "/audit/rotate-key": self.rotate_key,
            "/administrator-link": self.administrator_link,
        }
        for path, view in views.items():
            router.add_api_route(path, view, methods=["POST"], response_model=None)
        return router

    def rebuild(self, request: Request, body: Nothing) -> Json:
        """Write the index again from the record; searches go on meanwhile."""
        del body
        caller = caller_of(request)
        caller.require(Permission.PLATFORM_OPERATE, None)
        return {"passages": self._platform.operations.rebuild_index(caller.actor)}

    def back_up(self, request: Request, body: NewBackup) -> Json:
        """Make a backup into a folder of this machine; only its owner may name one."""
        caller = caller_of(request)
        caller.require(Permission.PLATFORM_OPERATE, None)
        _require_socket(
            caller,
            "A backup writes into a folder of this machine, which nobody names from afar.",
            "Use `lamplight backup` on the machine itself.",
        )
        destination = Path(body.destination)
        if not destination.is_absolute():
            raise BadField("destination is not an absolute path.", "Name the whole path.")
        operations = self._platform.operations
        return dict(operations.back_up(caller.actor, destination, with_keys=body.with_keys))

    def rotate_key(self, request: Request, body: Nothing) -> Json:
        """Let a new key sign the audit trail; only the owner of the machine may."""
        del body
        caller = caller_of(request)
        caller.require(Permission.PLATFORM_OPERATE, None)
        _require_socket(
            caller,
            "The key that signs the trail is changed on the machine itself.",
            "Use `lamplight audit rotate-key` there.",
        )
        return dict(self._platform.operations.rotate_key(caller.actor))

    def administrator_link(self, request: Request, body: Nothing) -> Json:
        """Issue the link by which the first administrator signs up; an older one ends."""
        del body
        caller = caller_of(request)
        caller.require(Permission.PLATFORM_OPERATE, None)
        _require_socket(
            caller,
            "Whoever has this link becomes the administrator, so it is given to the owner alone.",
            "Start Lamplight again on the machine itself; it prints the link.",
        )
        secret = self._platform.tickets.issue_administrator(caller.actor)
        return {"path": f"/welcome/{secret}"}


def _require_socket(caller: Caller, message: str, hint: str) -> None:
    """Raise SocketOnly unless the owner of the data directory asks."""
    if caller.principal.auth != SOCKET:
        raise SocketOnly(message, hint)
