"""Watched folders as a caller sees and changes them, by page, API or command line."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from governance.errors import NotFound
from governance.missing_files import MissingFile, MissingFiles
from governance.permissions import Permission
from governance.policies import PolicyStore
from governance.watched_folders import WatchedFile, WatchedFolder, WatchedFolders
from ingest.folder_watch import allowed_folder
from web.caller import Caller
from web.departments import choose
from web.version_words import state_words

NO_FOLDER = ("This folder is not watched.", "Reload the list of watched folders.")
NO_MISSING = ("This was decided already.", "Reload the list of what waits for review.")
SHOWN_FILES = 50
FOUND_WORDS = {
    "new": "New: handed in",
    "changed": "Changed: handed in as the next version",
    "moved": "Moved or renamed",
    "known": "Already here",
    "refused": "Could not be taken in",
}


@dataclass(frozen=True, slots=True)
class FolderParts:
    """What the pages need of watched folders. roots: below which they may be; data_dir: never."""

    folders: WatchedFolders
    missing: MissingFiles
    roots: tuple[Path, ...]
    data_dir: Path


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file as a page shows it; address: of the policy it became, if that is still there."""

    path: str
    what: str
    at: datetime | None
    problem: str
    hint: str
    address: str = ""
    state: str = ""


class Watches:
    """Watched folders, within what a caller may see and do."""

    def __init__(self, parts: FolderParts, policies: PolicyStore) -> None:
        self._parts = parts
        self._policies = policies

    @property
    def roots(self) -> tuple[Path, ...]:
        """Below which whoever may watch folders can name one."""
        return self._parts.roots

    def folders(self, caller: Caller, department: str | None = None) -> tuple[WatchedFolder, ...]:
        """The folders of the departments where the caller sees what is loading."""
        places = caller.departments(Permission.JOBS_READ)
        wanted = [one.id for one in places if department in (None, one.name)]
        return self._parts.folders.folders(wanted)

    def files(self, folder: WatchedFolder) -> tuple[ShownFile, ...]:
        """What was found in a folder: troubles first, then the newest."""
        found = self._parts.folders.recent(folder.id, SHOWN_FILES)
        return tuple(self._shown(one) for one in found)

    def add(self, caller: Caller, department: str, path: str) -> WatchedFolder:
        """Watch a folder. Raises CannotWatch, UnknownDepartment, DepartmentNeeded, Forbidden."""
        place = choose(caller.departments(Permission.FOLDERS_WATCH), department)
        # The owner of the data directory could read any folder without us.
        roots = None if caller.principal.auth == "socket" else self._parts.roots
        folder = allowed_folder(path, roots, self._parts.data_dir)
        return self._parts.folders.add(caller.actor, place.id, str(folder))

    def remove(self, caller: Caller, folder_id: str) -> WatchedFolder:
        """Watch it no longer. Raises NotFound, Forbidden."""
        folder = self._folder(caller, folder_id)
        self._parts.folders.remove(caller.actor, folder.id)
        return folder

    def confirm(self, caller: Caller, folder_id: str) -> WatchedFolder:
        """So many files were removed on purpose. Raises NotFound, Forbidden, IllegalTransition."""
        folder = self._folder(caller, folder_id)
        self._parts.folders.confirm(caller.actor, folder.id)
        return folder

    def missing(self, caller: Caller) -> tuple[MissingFile, ...]:
        """Files that are gone, whose policies wait for a decision."""
        places = caller.departments(Permission.DRAFTS_READ)
        return self._parts.missing.open([one.id for one in places])

    def keep(self, caller: Caller, missing_id: str) -> None:
        """A policy stays in force without its file. Raises NotFound, Forbidden."""
        waiting = self._parts.missing.one(missing_id)
        names = {one.id: one.name for one in caller.known}
        caller.require_in(
            Permission.DOCUMENTS_LOAD,
            names.get(waiting.department_id, ""),
            NotFound(*NO_MISSING),
        )
        self._parts.missing.keep(caller.actor, missing_id)

    def _folder(self, caller: Caller, folder_id: str) -> WatchedFolder:
        folder = self._parts.folders.folder(folder_id)
        caller.require_in(Permission.FOLDERS_WATCH, folder.department, NotFound(*NO_FOLDER))
        return folder

    def _shown(self, file: WatchedFile) -> ShownFile:
        what = FOUND_WORDS.get(file.found, "")
        shown = ShownFile(file.path, what, file.found_at, file.problem, file.hint)
        if file.document_id is None:
            return shown
        try:
            newest = self._policies.document(file.document_id).versions[0]
        except NotFound:
            return replace(shown, state="Removed here")
        address = f"/documents/{newest.document_id}/versions/{newest.version}/review"
        return replace(shown, address=address, state=state_words(newest.state))


def folder_json(folder: WatchedFolder) -> dict[str, Any]:
    """A folder as programs get it."""
    return {
        "id": folder.id,
        "department": folder.department,
        "path": folder.path,
        "added_at": folder.added_at.isoformat(),
        "looked_at": folder.looked_at.isoformat() if folder.looked_at else None,
        "files": folder.files,
        "unread": folder.unread,
        "problem": folder.problem or None,
        "hint": folder.hint or None,
        "asks": folder.asks,
    }
