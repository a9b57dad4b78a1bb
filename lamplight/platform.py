"""The platform's parts, made and passed to one another: the whole application on one page."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from governance.abbreviations import AbbreviationStore
from governance.approvals import ApprovalStore
from governance.audit.anchors import Anchor
from governance.audit.checkpoint import Checkpoints
from governance.audit.last_signed import LastSigned
from governance.audit.rotation import finish
from governance.data_classes import enabled_classes
from governance.department_classes import ClassStore
from governance.emergency import EmergencyStore
from governance.evaluation_locks import RunLocks
from governance.evaluation_reports import ReportStore
from governance.evaluation_texts import RunTexts
from governance.events import SYSTEM, Action, Event
from governance.inventory import Inventory
from governance.jobs import JobStore
from governance.keys import KeyStore
from governance.loading import LoadingStore
from governance.missing_files import MissingFiles
from governance.model_blocks import BlockStore
from governance.model_guard import ModelGuard
from governance.oidc_flows import OidcFlows
from governance.page_scans import PageScans
from governance.passwords import PasswordStore
from governance.people import PeopleStore
from governance.policies import PolicyStore
from governance.provider_sign_in import ProviderSignIn
from governance.questions import QuestionStore
from governance.quotas import QuotaStore
from governance.record.database import Record, open_record
from governance.record.schema import drop_old_copies
from governance.retention import RetentionStore
from governance.secrets import Secrets
from governance.sessions import SessionStore
from governance.sign_in import SignIn
from governance.throttle import Throttle
from governance.tickets import TicketStore
from governance.vault import Vault
from governance.version_life import VersionLife
from governance.watched_folders import WatchedFolders
from ingest.folder_watch import FolderWatch
from ingest.index import require_model
from ingest.page_image import render_page
from ingest.quotes import Quote
from ingest.scan_memory import lines_on
from ingest.workflow import Loader
from lamplight.approval_basis import basis_of
from lamplight.evaluating import admission, evaluating, tell_gates
from lamplight.folder_watching import watching
from lamplight.housekeeping import Chore, Housekeeping
from lamplight.installing import model_store
from lamplight.model_admission import embedding_admission
from lamplight.model_bill import Bills
from lamplight.model_shelf import ModelShelf
from lamplight.operations import Operations
from lamplight.scrub import LOOK_EVERY, Scrub
from lamplight.settings import Settings
from rag.embed import Embedder
from rag.index import open_index
from rag.pipelines import Assistant
from rag.workflow import Evaluations
from runtime.store import Store
from web.evaluation_parts import evaluation_parts
from web.feedback_parts import feedback_parts
from web.model_parts import ModelParts
from web.parts import DrawsPage, Platform, ProviderParts
from web.passthrough import Passthrough
from web.trail import Trail
from web.watching import FolderParts


@contextmanager
def open_platform(settings: Settings) -> Iterator[Platform]:
    """Open the record and the index, take up unfinished jobs, and close all of it at the end.

    Raises RecordUnusable, SecretUnsafe, IndexFault.
    """
    with ExitStack() as closing:
        record = open_record(settings.governance)
        closing.callback(record.close)
        require_model(LoadingStore(record, settings.governance), settings.rag.embed_model)
        index = open_index(settings.rag)
        closing.callback(index.close)
        models = model_parts(settings, record)
        embedder = Embedder(settings.rag, embedding_admission(models, settings.rag))
        loader = Loader(
            record, index, embedder, settings.rag.embed_model, settings.governance, settings.ingest
        )
        closing.callback(loader.close)
        loader.launch()
        policies = PolicyStore(record, settings.governance)
        abbreviations = AbbreviationStore(record)
        secrets = Secrets(settings.governance.keys_dir)
        throttle = Throttle(record, secrets.hmac_key())
        checkpoints = _checkpoints(record, secrets, settings)
        folders = _folder_parts(settings, record)
        platform = Platform(
            settings=settings.web,
            rag_settings=settings.rag,
            record=record,
            assistant=Assistant(
                settings.rag, index, embedder, policies.passages_in_force, abbreviations.of
            ),
            policies=policies,
            jobs=JobStore(record),
            loader=loader,
            publisher=loader.publisher,
            identity=loader.identity,
            life=VersionLife(record, settings.governance),
            index=index,
            draw_page=_page_drawer(settings, PageScans(record)),
            passthrough=Passthrough(settings.web, settings.rag),
            trail=Trail(record, checkpoints, _anchors(settings)),
            operations=Operations(record, loader, settings, checkpoints),
            models=models,
            evaluations=evaluation_parts(record, settings.rag, models.known),
            folders=folders,
            admin_socket=settings.admin_socket,
            session_idle_s=settings.governance.session_idle_s,
            voices=feedback_parts(record, secrets, settings.governance, abbreviations),
            **_people_parts(settings, record, secrets, throttle),
        )
        _note_start(record, settings)
        closing.enter_context(Housekeeping(_chores(settings, platform, throttle)).running())
        closing.enter_context(_signing(checkpoints))
        watch = FolderWatch(folders.folders, folders.missing, loader, settings.ingest)
        closing.enter_context(watching(watch, settings.ingest.watch_every_s))
        tell_gates(platform)
        closing.enter_context(evaluating(_evaluations(settings, platform)))
        yield platform


def _evaluations(settings: Settings, platform: Platform) -> Evaluations:
    """Works through runs with assistants of its own, for the models that runs name."""
    models, parts = platform.models, platform.evaluations

    def make(chat_model: str) -> Assistant:
        rag = replace(settings.rag, chat_model=chat_model)
        embedder = Embedder(rag, embedding_admission(models, rag))
        in_force, forms = platform.policies.passages_in_force, platform.voices.abbreviations.of
        return Assistant(rag, platform.index, embedder, in_force, forms)

    admit = admission(platform.people, models.guard, models.known)
    turn_of = RunLocks(platform.record, settings.governance).of
    return Evaluations(
        parts.runs, parts.gold, platform.policies, make, admit, platform.clock, turn_of
    )


def _folder_parts(settings: Settings, record: Record) -> FolderParts:
    roots = settings.governance.watch_roots
    return FolderParts(WatchedFolders(record), MissingFiles(record), roots, settings.data_dir)


def _checkpoints(record: Record, secrets: Secrets, settings: Settings) -> Checkpoints:
    governance = settings.governance
    return Checkpoints(
        record,
        finish(record, secrets, governance.trail_origin),
        governance.trail_origin,
        governance.anchor_dirs,
        last_signed=LastSigned(governance.keys_dir),
    )


def model_parts(settings: Settings, record: Record) -> ModelParts:
    """What knows the models: which there are, and which may see what."""
    governance = settings.governance
    approvals, blocks = ApprovalStore(record, governance), BlockStore(record)
    store = model_store(settings)
    known = ModelShelf(store, settings.rag)
    basis = basis_of(known, settings.rag, governance)
    return ModelParts(
        known=known,
        approvals=approvals,
        blocks=blocks,
        classes=ClassStore(record, governance),
        guard=ModelGuard(record, governance, approvals, basis),
        reports=ReportStore(record),
        basis=basis,
        inventory=Inventory(record, approvals, blocks, known),
        enabled=enabled_classes(governance),
        bill=Bills(store).of,
    )


def _people_parts(
    settings: Settings, record: Record, secrets: Secrets, throttle: Throttle
) -> dict[str, Any]:
    """The parts of `Platform` that know people, by their names there."""
    people = PeopleStore(record)
    passwords = PasswordStore(record, settings.governance)
    sessions = SessionStore(record, settings.governance, secrets.hmac_key())
    passwords_on = settings.web.passwords_on
    return {
        "people": people,
        "sessions": sessions,
        "keys": KeyStore(record, people),
        "tickets": TicketStore(record, people, passwords, throttle, passwords_on=passwords_on),
        "sign_in": SignIn(record, people, passwords, sessions, throttle, passwords_on),
        "quotas": QuotaStore(record),
        "questions": QuestionStore(record, secrets, settings.governance),
        "emergencies": EmergencyStore(record),
        "retention": RetentionStore(record, Vault(secrets), settings.governance),
        "oidc": _provider(settings, record, secrets, people, sessions),
    }


def _chores(settings: Settings, platform: Platform, throttle: Throttle) -> tuple[Chore, ...]:
    scrub = Scrub(Store(settings.runtime.models_dir), platform.record, settings.data_dir)
    pay_debts = platform.publisher.pay_debts
    run_texts = RunTexts(platform.record, platform.retention)
    minutes, hour, day = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
    return (
        # At every look, so that the metric tells within 5 s that the trail can be written again.
        Chore("try a blocked trail", timedelta(0), lambda _now: platform.record.try_again()),
        Chore("end old sessions", minutes, platform.sessions.sweep),
        Chore("forget failed sign-ins", hour, throttle.sweep),
        Chore("forget used links", hour, lambda _now: platform.tickets.sweep()),
        Chore("purge kept questions", hour, platform.retention.purge),
        Chore("purge kept reports", hour, platform.voices.texts.purge),
        Chore("purge answers of evaluations", hour, run_texts.purge),
        Chore("bring the index into line", minutes, lambda _now: pay_debts()),
        Chore("check the trail", hour, lambda _now: platform.trail.check()),
        Chore("read all models again", LOOK_EVERY, scrub.look),
        Chore("fold old usage", day, platform.quotas.compact),
        Chore(
            "drop copies made before migrations",
            day,
            lambda now: drop_old_copies(settings.data_dir, now),
        ),
    )


def _page_drawer(settings: Settings, scans: PageScans) -> DrawsPage:
    def draw_page(path: Path, page: int, quotes: Sequence[Quote]) -> bytes:
        # Stored files are named by their digest.
        lines = lines_on(scans, path.name, page) if quotes else ()
        return render_page(path, page, quotes, settings=settings.ingest, lines=lines).png

    return draw_page


def _note_start(record: Record, settings: Settings) -> None:
    models = {"chat_model": settings.rag.chat_model, "embed_model": settings.rag.embed_model}
    with record.write() as connection:
        record.trail.append(connection, Event(Action.PLATFORM_STARTED, SYSTEM, facts=models))


@contextmanager
def _signing(checkpoints: Checkpoints) -> Iterator[None]:
    """Sign the trail whenever that is due, for the length of the block, and at its end."""
    stop = threading.Event()
    thread = threading.Thread(target=checkpoints.run, args=(stop,), name="checkpoints")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _anchors(settings: Settings) -> tuple[Anchor, ...]:
    return tuple(Anchor(folder) for folder in settings.governance.anchor_dirs)


def _provider(
    settings: Settings,
    record: Record,
    secrets: Secrets,
    people: PeopleStore,
    sessions: SessionStore,
) -> ProviderParts | None:
    if not settings.web.oidc_issuer:
        return None
    flows = OidcFlows(record, secrets.hmac_key())
    return ProviderParts(flows, ProviderSignIn(people, sessions))
