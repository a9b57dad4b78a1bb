"""Looks at watched folders: hands in what is new or changed, and asks about what is gone.

Shares do not tell of changes, so every folder is listed again and again; what a look means is
decided in `watching.py`. What comes out of a folder is a draft like any other: two people put it in
force. Nothing is retired or removed by a look, and a look that was cut short is done again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from governance.errors import GovernanceError, InvalidName, NotFound
from governance.events import Actor
from governance.missing_files import MissingFiles
from governance.policies import Department
from governance.policy_fields import PolicyFields
from governance.watched_folders import LookedAt, WatchedFile, WatchedFolder, WatchedFolders
from ingest.config import IngestSettings
from ingest.errors import CannotWatch, IngestError, RefusedFile
from ingest.folder_listing import FolderLimits, bytes_of, digest_of, list_folder
from ingest.kinds import BY_SUFFIX
from ingest.watching import Entry, Listing, Looked, Watched, look, to_read
from ingest.workflow import Submitted

WATCHER = Actor("lamplight", "watch", "none")
# Documents that cannot be read are handed in as well: their refusal says what to do.
SUFFIXES = frozenset(BY_SUFFIX) - {""} | {
    ".doc", ".dot", ".rtf", ".odt", ".pages", ".wpd", ".xls", ".ods", ".ppt", ".odp",
}  # fmt: skip

log = structlog.get_logger(__name__)


class HandsIn(Protocol):
    """What takes files in; `ingest.workflow.Loader` does."""

    def submit(
        self,
        actor: Actor,
        file_name: str,
        content: bytes,
        department: Department,
        fields: PolicyFields | None = None,
        *,
        replaces: str | None = None,
    ) -> Submitted:
        """Accept a file and queue it. Raises RefusedFile, NoSpace, NotFound, InvalidName."""


class FolderWatch:
    """Looks at the folders, one after the other; one thread does."""

    def __init__(
        self,
        folders: WatchedFolders,
        missing: MissingFiles,
        loader: HandsIn,
        settings: IngestSettings,
    ) -> None:
        self._folders = folders
        self._missing = missing
        self._loader = loader
        self._settings = settings
        self._limits = FolderLimits(
            max_files=settings.watch_max_files, max_file_bytes=settings.max_file_bytes
        )

    def look_at_all(self, now: datetime, stop: Callable[[], bool] = lambda: False) -> None:
        """Look at every watched folder; what goes wrong with one is said there."""
        for folder in self._folders.folders():
            if stop():
                return
            try:
                self.look_at(folder, now, stop)
            except (IngestError, GovernanceError) as error:
                self._folders.save(folder.id, LookedAt(now, error.message, error.hint))
            except Exception:
                log.exception("a watched folder could not be looked at", folder=folder.id)
                hint = (
                    "It is tried again. If it stays, give the log of the data directory to support."
                )
                self._folders.save(
                    folder.id, LookedAt(now, "Something went wrong on our side.", hint)
                )

    def look_at(
        self, folder: WatchedFolder, now: datetime, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Look at one folder. Raises IngestError, GovernanceError; then nothing is remembered."""
        root = Path(folder.path)
        listing = self._listing(root)
        before = self._folders.files(folder.id)
        seen = {path: _watched(file) for path, file in before.items()}
        digests = self._digests(root, to_read(listing, seen), stop)
        looked = look(listing, seen, digests, may_be_gone=folder.confirmed_by is not None)
        if looked.stopped:
            self._folders.save(folder.id, LookedAt(now, looked.stopped, asks=True))
            return
        entries = {entry.path: entry for entry in listing.entries}
        after = {path: _remembered(one, before.get(path)) for path, one in looked.seen.items()}
        for found in looked.moved:
            after[found.path] = _moved(after[found.path], before[found.before], now)
        for found in (*looked.new, *looked.changed):
            if stop():
                return
            after[found.path] = self._take_in(
                folder, entries[found.path], after[found.path], before.get(found.path), now
            )
        self._ask_about(folder, looked, before, after)
        over = not any(one.missing_looks for one in after.values())
        done = LookedAt(now, unread=len(listing.unread), confirmation_over=over)
        self._folders.save(folder.id, done, before, after)

    def _listing(self, root: Path) -> Listing:
        """The documents in a folder. Raises IngestError."""
        if root.is_symlink() or root.resolve() != root:
            raise CannotWatch(
                f"The folder {root} now leads somewhere else.",
                "Nothing was changed. Watch the folder it leads to, if that is meant.",
            )
        listing = list_folder(root, self._limits)
        documents = (one for one in listing.entries if _suffix(one.path) in SUFFIXES)
        return Listing(tuple(documents), listing.unread)

    def _digests(
        self, root: Path, wanted: Sequence[Entry], stop: Callable[[], bool]
    ) -> dict[str, str]:
        """Of as many files as one look may read."""
        digests: dict[str, str] = {}
        left = self._settings.watch_bytes_per_look
        for entry in wanted[: self._settings.watch_files_per_look]:
            left -= entry.size_bytes
            if stop() or (left < 0 and digests):
                break
            digest = digest_of(root, entry, self._limits)
            if digest is not None:
                digests[entry.path] = digest
        return digests

    def _take_in(
        self,
        folder: WatchedFolder,
        entry: Entry,
        file: WatchedFile,
        known: WatchedFile | None,
        now: datetime,
    ) -> WatchedFile:
        """Hand a new or changed file in, and say what became of it."""
        content = bytes_of(Path(folder.path), entry, file.digest, self._limits)
        if content is None:  # it is being written to again: the next looks read it
            return replace(file, digest=known.digest if known else "", is_read=False)
        replaces = file.document_id
        try:
            done = self._submit(folder, entry.path, content, replaces)
        except (RefusedFile, InvalidName) as refusal:
            return replace(
                file, found="refused", found_at=now, problem=refusal.message, hint=refusal.hint
            )
        found = "known" if done.job_id is None else "changed" if replaces else "new"
        return replace(
            file, document_id=done.document_id, found=found, found_at=now, problem="", hint=""
        )

    def _submit(
        self, folder: WatchedFolder, path: str, content: bytes, replaces: str | None
    ) -> Submitted:
        name, place = path.rpartition("/")[2], Department(folder.department_id, folder.department)
        try:
            return self._loader.submit(WATCHER, name, content, place, replaces=replaces)
        except NotFound:
            # The document was removed here; what is in the folder now is a new one.
            return self._loader.submit(WATCHER, name, content, place)

    def _ask_about(
        self,
        folder: WatchedFolder,
        looked: Looked,
        before: Mapping[str, WatchedFile],
        after: Mapping[str, WatchedFile],
    ) -> None:
        """Propose to retire what is gone; what is there again needs no decision any more."""
        there = {
            one.document_id for one in after.values() if one.document_id and not one.missing_looks
        }
        for found in looked.missing:
            document_id = before[found.path].document_id
            if document_id is not None and document_id not in there:
                path = f"{folder.path}/{found.path}"
                self._missing.propose(WATCHER, document_id, folder.department_id, path)
        come = (*looked.new, *looked.moved, *looked.changed)
        again = {after[one.path].document_id for one in come}
        self._missing.returned({one for one in again if one is not None})


def allowed_folder(path: str, roots: Sequence[Path] | None, data_dir: Path) -> Path:
    """The folder that is meant, if it may be watched. Raises CannotWatch.

    roots: it lies in one of them; None: anywhere. Never in the data directory, or around it.
    """
    if not path.startswith("/") or len(path) > 1000 or not path.isprintable():
        raise CannotWatch("This is not the whole path of a folder.", "Write it from the first /.")
    try:
        folder = Path(path).resolve()
    except (OSError, RuntimeError) as error:  # links that lead in a circle
        raise CannotWatch("This path cannot be followed.", "Check it for links.") from error
    if roots is not None and not any(folder.is_relative_to(root.resolve()) for root in roots):
        named = ", ".join(map(str, roots)) or "none"
        raise CannotWatch(
            "This folder is not one that may be watched.",
            f"Folders below these may be: {named}. Whoever runs the computer can allow others.",
        )
    data_dir = data_dir.resolve()
    if folder.is_relative_to(data_dir) or data_dir.is_relative_to(folder):
        raise CannotWatch("Lamplight keeps its own data there.", "Choose another folder.")
    if not folder.is_dir():
        raise CannotWatch(
            f"There is no folder {folder} on the computer on which Lamplight runs.",
            "Check the path, and that the share is mounted.",
        )
    return folder


def _suffix(path: str) -> str:
    return Path(path).suffix.lower()


def _watched(file: WatchedFile) -> Watched:
    return Watched(
        file.path,
        file.size_bytes,
        file.modified_ns,
        file.digest,
        file.is_read,
        file.missing_looks,
    )


def _remembered(one: Watched, known: WatchedFile | None) -> WatchedFile:
    """What is remembered after a look, with what was known of the file before."""
    return replace(
        known or WatchedFile(one.path, one.size_bytes, one.modified_ns),
        size_bytes=one.size_bytes,
        modified_ns=one.modified_ns,
        digest=one.digest,
        is_read=one.is_read,
        missing_looks=one.missing_looks,
    )


def _moved(file: WatchedFile, before: WatchedFile, now: datetime) -> WatchedFile:
    return replace(
        file,
        document_id=before.document_id,
        found="moved",
        found_at=now,
        problem=before.problem,
        hint=before.hint,
    )
