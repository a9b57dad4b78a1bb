"""`/api/v1/folders`: watched folders as JSON, also for `lamplight watch`."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from web.api.shapes import Json
from web.caller import caller_of
from web.watching import Watches, folder_json


class NewFolder(BaseModel):
    """What `POST /api/v1/folders` takes; path: on the computer on which Lamplight runs."""

    model_config = ConfigDict(extra="forbid", strict=True)
    path: str
    department: str = ""


class FoldersApi:
    """Watched folders."""

    def __init__(self, watches: Watches) -> None:
        self._watches = watches

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["folders"])
        for path, method, view in (
            ("/folders", "GET", self.folders),
            ("/folders", "POST", self.add),
            ("/folders/{folder_id}", "DELETE", self.remove),
            ("/folders/{folder_id}/confirm", "POST", self.confirm),
        ):
            router.add_api_route(path, view, methods=[method], response_model=None)
        return router

    def folders(self, request: Request, department: str | None = None) -> Json:
        """The watched folders that the caller may see."""
        found = self._watches.folders(caller_of(request), department)
        return {"folders": [folder_json(one) for one in found]}

    def add(self, request: Request, body: NewFolder) -> Json:
        """Watch a folder; what is found in it is handed in as drafts."""
        return folder_json(self._watches.add(caller_of(request), body.department, body.path))

    def remove(self, request: Request, folder_id: str) -> Json:
        """Watch a folder no longer; what came out of it stays."""
        folder = self._watches.remove(caller_of(request), folder_id)
        return {"id": folder.id, "path": folder.path, "state": "not watched"}

    def confirm(self, request: Request, folder_id: str) -> Json:
        """Say that the many files that are gone were removed on purpose."""
        folder = self._watches.confirm(caller_of(request), folder_id)
        return {"id": folder.id, "path": folder.path, "state": "confirmed"}
