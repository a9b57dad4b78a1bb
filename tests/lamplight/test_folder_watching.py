"""Folders are looked at as long as the platform runs, whatever a look comes to."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event

import pytest

from governance.config import GovernanceSettings
from governance.missing_files import MissingFiles
from governance.record.database import open_record
from governance.watched_folders import WatchedFolders
from ingest.config import IngestSettings
from ingest.folder_watch import FolderWatch
from ingest.workflow import Submitted
from lamplight.folder_watching import watching
from lamplight.settings import load_settings

PATIENCE_S = 20


class Counting(FolderWatch):
    """Says when it has looked twice, the first time in vain; then it looks until it is told."""

    looks = 0
    twice = Event()
    ended = Event()

    def look_at_all(self, now: datetime, stop: Callable[[], bool] = lambda: False) -> None:
        """Fail once, then wait to be stopped."""
        self.looks += 1
        if self.looks == 1:
            raise OSError("the first look fails")
        self.twice.set()
        while not stop():
            self.ended.wait(0.01)
        self.ended.set()


class Nothing:
    """Takes nothing in, for there is nothing."""

    def submit(self, *_arguments: object, **_more: object) -> Submitted:
        """Never called."""
        raise AssertionError


def test_a_look_that_fails_is_not_the_last_and_the_end_stops_one(tmp_path: Path) -> None:
    """The thread goes on after an error, and a look that is under way hears of the end."""
    record = open_record(GovernanceSettings(tmp_path))
    folders, missing = WatchedFolders(record), MissingFiles(record)
    watch = Counting(folders, missing, Nothing(), IngestSettings())
    with watching(watch, 0.0):
        assert watch.twice.wait(PATIENCE_S)
        assert not watch.ended.is_set()
    assert watch.ended.is_set()
    record.close()


def test_no_folder_may_be_named_by_others_unless_roots_are_set(tmp_path: Path) -> None:
    """By the short name of the setting, as many as are needed."""
    assert load_settings(tmp_path, environment={}).governance.watch_roots == ()
    named = {"LAMPLIGHT_WATCH_ROOTS": "/srv/policies:/mnt/share"}
    roots = load_settings(tmp_path, environment=named).governance.watch_roots
    assert roots == (Path("/srv/policies"), Path("/mnt/share"))


@pytest.mark.parametrize("name", ["watch_every_s", "watch_files_per_look", "watch_max_files"])
def test_what_a_look_costs_is_bounded_by_settings(tmp_path: Path, name: str) -> None:
    """Each has a default, and a name of its own."""
    named = {f"LAMPLIGHT_INGEST_{name.upper()}": "7"}
    assert getattr(load_settings(tmp_path, environment=named).ingest, name) == 7
