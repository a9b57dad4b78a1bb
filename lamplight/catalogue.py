"""Takes models and revocations in from a signed medium, and writes down what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from governance.events import Action, Event
from governance.model_blocks import BlockStore
from governance.record.database import Record, open_record
from lamplight.errors import PullRefused
from lamplight.installing import model_store
from lamplight.operations import OWNER
from lamplight.settings import Settings
from runtime.errors import ModelRuntimeError, PackageRefused
from runtime.names import parse_name
from runtime.revocation import Revoked
from runtime.store import Store

REVOCATIONS = "revocations"


def take_in(settings: Settings, medium: Path, name: str) -> str:
    """Install a model from a medium; the digest of its manifest. Raises PullRefused."""
    from runtime.admission import Admission, trust_of  # Sigstore's client takes a second to import

    store = model_store(settings)
    with _noted(settings, name) as (record, facts):
        admission = Admission(
            settings.runtime,
            store,
            trust_of(settings.runtime),
            on_revoked=lambda revoked: _block(record, store, revoked),
            on_step=lambda step: facts.update(step=str(step)),
        )
        manifest = admission.take(medium, parse_name(name))
        facts["digest"] = manifest.digest
    return manifest.digest


def take_revocations(settings: Settings, medium: Path) -> int:
    """Block what a medium's catalogue revokes; how many digests are on it. Raises PullRefused."""
    from runtime.admission import Admission, trust_of

    store = model_store(settings)
    with _noted(settings, REVOCATIONS) as (record, _):
        admission = Admission(
            settings.runtime,
            store,
            trust_of(settings.runtime),
            on_revoked=lambda revoked: _block(record, store, revoked),
        )
        return len(admission.renew(medium))


def _block(record: Record, store: Store, revoked: tuple[Revoked, ...]) -> None:
    """Block each digest, and each installed model that is made with it, unless it is already."""
    blocks = BlockStore(record)
    known = {one.digest for one in blocks.blocks() if one.department_id is None}
    models = [model.manifest for model in store.models()]
    for one in revoked:
        hit = {m.digest for m in models if one.hits(m)} | {one.digest.removeprefix("sha256:")}
        for digest in sorted(hit - known):
            blocks.block(OWNER, digest, None, f"Revoked by the catalogue: {one.reason}", _now())
            known.add(digest)


@contextmanager
def _noted(settings: Settings, name: str) -> Iterator[tuple[Record, dict[str, str]]]:
    """Do this with a record open; how it ended is in the trail. Raises PullRefused."""
    record = open_record(settings.governance)
    facts: dict[str, str] = {}
    outcome, reason = "failed", "Broken"
    try:
        yield record, facts
        outcome, reason = "done", ""
    except ModelRuntimeError as error:
        outcome = "refused" if isinstance(error, PackageRefused) else "failed"
        reason = error.message
        raise PullRefused(error.message, error.hint) from error
    finally:
        digest = facts.pop("digest", None)
        event = Event(
            Action.MODEL_PULLED,
            OWNER,
            object_type="model",
            object_id=name,
            digest=digest,
            outcome=outcome,
            reason=reason or None,
            facts={"endpoint": "lamplight", "source": "catalogue", **facts},
        )
        try:
            with record.write() as connection:
                record.trail.append(connection, event)
        finally:
            record.close()


def _now() -> datetime:
    return datetime.now(UTC)
