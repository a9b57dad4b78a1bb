"""For tests alone: settings, backups and signatures in the fewest words."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from governance.audit.checkpoint import Checkpoints
from governance.audit.search import Filter, search
from governance.record.database import Record
from governance.secrets import Secrets
from lamplight.backup import make_backup
from lamplight.manifest import Manifest
from lamplight.operations import OWNER
from lamplight.settings import Settings, load_settings
from rag.testing import DIMENSIONS

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def settings_of(data_dir: Path, url: str = "http://127.0.0.1:1/v1") -> Settings:
    """Settings for a scripted runtime, without the environment's."""
    settings = load_settings(data_dir, environment={})
    rag = replace(settings.rag, embed_url=url, chat_url=url, embed_dimensions=DIMENSIONS)
    return replace(settings, rag=replace(rag, min_evidence=0.0))


def back_up(record: Record, settings: Settings, place: Path, *, with_keys: bool = True) -> Manifest:
    """A backup made at noon."""
    return make_backup(record, settings, place, OWNER, made_at=NOW, with_keys=with_keys)


def actions(record: Record) -> list[str]:
    """What the trail says was done, oldest first."""
    with record.read() as connection:
        found = search(connection, Filter(), None, limit=10_000)
        return [str(one.body["action"]) for one in reversed(found)]


def names(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def signed(record: Record, settings: Settings, anchor: Path) -> None:
    """Sign the trail as it stands, with a copy in the anchor."""
    anchor.mkdir(exist_ok=True)
    key = Secrets(settings.governance.keys_dir).trail_key()
    Checkpoints(record, key, settings.governance.trail_origin, [anchor]).sign()
