"""A real platform on a real port: real record, index, originals and files; a scripted assistant."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from governance.abbreviations import AbbreviationStore
from governance.approvals import ApprovalStore
from governance.audit.checkpoint import Checkpoints
from governance.config import GovernanceSettings
from governance.data_classes import enabled_classes
from governance.department_classes import ClassStore
from governance.emergency import EmergencyStore
from governance.evaluation_reports import ReportStore
from governance.events import SYSTEM
from governance.inventory import Inventory
from governance.jobs import JobStore
from governance.keys import KeyStore
from governance.missing_files import MissingFiles
from governance.model_blocks import BlockStore
from governance.model_guard import ModelGuard
from governance.page_scans import PageScans
from governance.passwords import PasswordStore
from governance.people import PeopleStore
from governance.permissions import Role
from governance.policies import PolicyStore
from governance.policy_fields import PolicyFields
from governance.questions import QuestionStore
from governance.quotas import QuotaStore
from governance.record.database import Record, open_record
from governance.retention import RetentionStore
from governance.secrets import Secrets
from governance.sessions import SessionStore
from governance.sign_in import SignIn
from governance.throttle import Throttle
from governance.tickets import TicketStore
from governance.vault import Vault
from governance.version_life import VersionLife
from governance.watched_folders import WatchedFolders
from ingest.config import IngestSettings
from ingest.page_image import render_page
from ingest.scan_memory import lines_on
from ingest.testing import load_in_force
from ingest.workflow import Loader
from rag.config import RagSettings
from rag.embed import Embedder
from rag.index import open_index
from web.app import Platform, create_app
from web.config import WebSettings
from web.evaluation_parts import evaluation_parts
from web.feedback_parts import feedback_parts
from web.model_parts import ModelParts
from web.passthrough import Passthrough
from web.testing import (
    MovableClock,
    ScriptedAssistant,
    ScriptedModels,
    ScriptedOperations,
    Site,
    faults_of,
    passage_of,
)
from web.trail import Trail
from web.watching import FolderParts

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Otherwise it calls home at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
DIMENSIONS = 8

VIALS = [
    "Multi-dose vials may be used for 28 days after first puncture. "
    "The maker's shorter date applies where there is one.",
    "Label the vial with the date of first puncture and the discard date. "
    "Discard at once if it is cloudy.",
    "Store opened vials in the medication refrigerator.",
]
HANDS = """# Hand hygiene

## When to clean hands

Clean hands before touching a patient. Clean hands after touching a patient's surroundings.

## Products

| Situation | Product |
|---|---|
| Hands look clean | Alcohol rub |
| Hands look dirty | Soap and water |
"""
MENUS = """# Menus

Menus are changed on the first Monday of the month. Allergens are printed in bold.
"""


class FakeRuntime(BaseHTTPRequestHandler):
    """Speaks as much of OpenAI's API as loading and passing through need."""

    def do_GET(self) -> None:
        """List the models."""
        self._reply({"object": "list", "data": [{"id": "chat"}, {"id": "embed:latest"}]})

    def do_POST(self) -> None:
        """Embed, or echo a chat."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/embeddings"):
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            vector = [1.0, *[0.0] * (DIMENSIONS - 1)]
            data = [
                {"object": "embedding", "index": i, "embedding": vector} for i in range(len(texts))
            ]
            self._reply({"object": "list", "data": data, "model": body["model"]})
        else:
            self._reply({"object": "chat.completion", "model": body["model"], "echo": body})

    def _reply(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def pdf_of(pages: list[str], title: str = "Multi-dose vials") -> bytes:
    """A PDF with a heading on the first page and one short paragraph per page."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.setTitle(title)
    for number, text in enumerate(pages, 1):
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawString(72, 770, f"{number} {title}")
        canvas.setFont("Helvetica", 12)
        lines = canvas.beginText(72, 730)
        for sentence in text.split(". "):
            lines.textLine(sentence if sentence.endswith(".") else f"{sentence}.")
        canvas.drawText(lines)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def wait_until_loaded(platform: Platform, seconds: float = 60.0) -> None:
    """Return when no job is open any more."""
    end = time.monotonic() + seconds
    while platform.jobs.open_jobs():
        assert time.monotonic() < end, platform.jobs.recent()
        time.sleep(0.05)


@pytest.fixture(scope="session")
def runtime_url() -> Iterator[str]:
    """The address of a runtime that embeds everything alike."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeRuntime)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


ROLES: dict[str, tuple[Role, str | None] | None] = {
    "administrator": (Role.ADMINISTRATOR, None),
    "manager": (Role.DEPARTMENT_ADMINISTRATOR, "Pharmacy"),
    "editor": (Role.EDITOR, "Pharmacy"),
    "approver": (Role.APPROVER, "Pharmacy"),
    "auditor": (Role.AUDITOR, "Pharmacy"),
    "staff": (Role.STAFF, "Pharmacy"),
    "outsider": (Role.EDITOR, "Catering"),
    "nobody": None,
}
# Those who sign in with it; the others only have sessions.
WITH_PASSWORD = ("administrator", "editor", "staff")
PASSWORD = "harbour lantern violet tram"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, runtime_url: str) -> Iterator[Site]:
    """The platform with policies of two departments in force, anew for each module."""
    data = tmp_path_factory.mktemp("data")
    clock = MovableClock()
    # Checking a password is slow on purpose; here it need not be.
    governance = GovernanceSettings(data, argon2_memory_kib=64, argon2_rounds=1)
    rag = RagSettings(
        data / "index",
        chat_url=runtime_url,
        embed_url=runtime_url,
        chat_model="chat",
        embed_model="embed",
        embed_dimensions=DIMENSIONS,
        index_reserve_bytes=0,
    )
    limits = IngestSettings(min_free_bytes=0)
    record, index = open_record(governance), open_index(rag)
    loader = Loader(record, index, Embedder(rag), rag.embed_model, governance, limits)
    loader.launch()
    web = WebSettings(
        progress_interval_ms=200,
        max_upload_bytes=2_000_000,
        stream_heartbeat_s=0.2,
        # Read only when a certificate is shown, which here nobody does.
        client_ca=data / "ca.pem",
    )
    secrets = Secrets(governance.keys_dir)
    people = PeopleStore(record, clock)
    passwords = PasswordStore(record, governance, clock)
    sessions = SessionStore(record, governance, secrets.hmac_key())
    throttle = Throttle(record, secrets.hmac_key())
    models = model_parts(record, governance)
    platform = Platform(
        settings=web,
        rag_settings=rag,
        record=record,
        assistant=ScriptedAssistant(),
        policies=PolicyStore(record, governance),
        jobs=JobStore(record),
        loader=loader,
        publisher=loader.publisher,
        identity=loader.identity,
        life=VersionLife(record, governance),
        index=index,
        draw_page=lambda path, page, quotes: (
            render_page(
                path,
                page,
                quotes,
                settings=limits,
                lines=lines_on(PageScans(record), path.name, page),
            ).png
        ),
        passthrough=Passthrough(web, rag),
        people=people,
        sessions=sessions,
        keys=KeyStore(record, people),
        tickets=TicketStore(record, people, passwords, throttle, clock),
        sign_in=SignIn(record, people, passwords, sessions, throttle),
        quotas=QuotaStore(record),
        questions=QuestionStore(record, secrets, governance),
        emergencies=EmergencyStore(record, clock),
        retention=RetentionStore(record, Vault(secrets), governance),
        evaluations=evaluation_parts(record, rag, models.known),
        voices=feedback_parts(record, secrets, governance, AbbreviationStore(record)),
        trail=Trail(record, Checkpoints(record, secrets.trail_key(), "test"), clock=clock),
        operations=ScriptedOperations(),
        models=models,
        folders=FolderParts(
            WatchedFolders(record),
            MissingFiles(record),
            (tmp_path_factory.mktemp("share"),),
            data,
        ),
        admin_socket=tmp_path_factory.mktemp("run") / "admin.sock",
        clock=clock,
    )
    vials, hands, foreign = load_policies(platform)
    welcome = f"/welcome/{platform.tickets.issue_administrator(SYSTEM)}"
    known = load_people(platform, passwords)
    with serve(create_app(platform), platform.admin_socket) as url:
        yield Site(url, platform, vials, hands, foreign, welcome, known, clock)
    loader.close()
    index.close()
    record.close()


def model_parts(record: Record, governance: GovernanceSettings) -> ModelParts:
    """Real approvals of models that are not there."""
    known, blocks = ScriptedModels(), BlockStore(record)
    approvals = ApprovalStore(record, governance)
    return ModelParts(
        known=known,
        approvals=approvals,
        blocks=blocks,
        classes=ClassStore(record, governance),
        guard=ModelGuard(record, governance, approvals, known.basis),
        reports=ReportStore(record),
        basis=known.basis,
        inventory=Inventory(record, approvals, blocks, known),
        enabled=enabled_classes(governance),
        bill=lambda digest: b"{}" if digest == "c" * 64 else None,
    )


def load_people(platform: Platform, passwords: PasswordStore) -> dict[str, str]:
    """Somebody for each role, by the name of the role."""
    known: dict[str, str] = {}
    for username, held in ROLES.items():
        person = platform.people.create(SYSTEM, f"{username.title()} Person", username)
        known[username] = person.id
        if held is not None:
            role, name = held
            place = platform.policies.department(name).id if name else None
            platform.people.grant(SYSTEM, person.id, role, place)
        if username in WITH_PASSWORD:
            passwords.set_password(SYSTEM, person.id, PASSWORD)
    return known


def load_policies(platform: Platform) -> tuple[str, str, str]:
    """Load a PDF and two Markdown policies, and let the assistant know their passages."""
    pharmacy = platform.policies.create_department(SYSTEM, "Pharmacy")
    catering = platform.policies.create_department(SYSTEM, "Catering")
    fields = PolicyFields(
        title="Multi-dose vials",
        policy_number="PH-014",
        effective_from=date(2026, 3, 1),
        review_due=date(2026, 6, 12),
    )
    vials = load_in_force(platform.loader, "vials.pdf", pdf_of(VIALS), pharmacy, fields)
    hands = load_in_force(platform.loader, "hands.md", HANDS.encode(), pharmacy)
    menus = load_in_force(platform.loader, "menus.md", MENUS.encode(), catering)
    wait_until_loaded(platform)
    found = {}
    for name in ("Pharmacy", "Catering"):
        hits = platform.index.search(
            name, "vials", [1.0] + [0.0] * (DIMENSIONS - 1), 50, time.time()
        )
        found |= platform.policies.passages_in_force([hit.passage_id for hit in hits], name)
    assert isinstance(platform.assistant, ScriptedAssistant)
    platform.assistant.passages = [
        passage_of(one)
        for one in sorted(
            found.values(),
            key=lambda one: (one.file_name != "vials.pdf", one.page_from, one.section),
        )
    ]
    return vials.document_id, hands.document_id, menus.document_id


@contextmanager
def serve(app: FastAPI, admin_socket: Path | None = None) -> Iterator[str]:
    """The application under a real server, in a thread of its own."""
    # Named as TCP, or asyncio does not switch Nagle's delay off: 40 ms for each answer.
    pages = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    pages.bind(("127.0.0.1", 0))
    listeners = [pages]
    if admin_socket is not None:
        listeners.append(socket.socket(socket.AF_UNIX))
        listeners[1].bind(str(admin_socket))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": listeners})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{pages.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(editor: httpx.Client) -> httpx.Client:
    """A client that is no browser and follows nothing by itself; it may load and ask."""
    return editor


@pytest.fixture
def editor(site: Site) -> Iterator[httpx.Client]:
    """A client with the session of an editor of Pharmacy."""
    with site.client("editor") as client:
        yield client


@pytest.fixture
def administrator(site: Site) -> Iterator[httpx.Client]:
    """A client with the session of an administrator."""
    with site.client("administrator") as client:
        yield client


@pytest.fixture
def staff(site: Site) -> Iterator[httpx.Client]:
    """A client with the session of somebody of the staff of Pharmacy."""
    with site.client("staff") as client:
        yield client


@pytest.fixture
def auditor(site: Site) -> Iterator[httpx.Client]:
    """A client with the session of an auditor of Pharmacy."""
    with site.client("auditor") as client:
        yield client


@pytest.fixture
def stranger(site: Site) -> Iterator[httpx.Client]:
    """A client that shows nothing."""
    with httpx.Client(base_url=site.url, timeout=30.0) as client:
        yield client


@pytest.fixture
def owner(site: Site) -> Iterator[httpx.Client]:
    """A client on the socket of the owner of the data directory."""
    transport = httpx.HTTPTransport(uds=str(site.platform.admin_socket))
    with httpx.Client(base_url="http://localhost", transport=transport, timeout=30.0) as client:
        yield client


@pytest.fixture
def key(site: Site) -> str:
    """A key of the editor with all of their rights."""
    return site.key("editor")


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Browser]:
    """The system's own Chromium; it starts after the site and ends with the module.

    While it runs, this thread has an event loop, with which neither DBOS nor asyncio.run starts.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A fresh page; an error or a violated policy in it fails the test (CSP-1)."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    context.add_cookies(site.cookies("editor"))
    page = context.new_page()
    faults = faults_of(page)
    yield page
    context.close()
    assert not faults
