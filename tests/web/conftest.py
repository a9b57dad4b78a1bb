"""A real platform on a real port: real record, index, originals and files; a scripted assistant."""

import json
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
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from governance.config import GovernanceSettings
from governance.jobs import JobStore
from governance.policies import PolicyStore
from governance.record.database import open_record
from ingest.config import IngestSettings
from ingest.page_image import render_page
from ingest.workflow import Loader, PolicyFields
from rag.config import RagSettings
from rag.embed import Embedder
from rag.index import open_index
from web.app import Platform, create_app
from web.config import WebSettings
from web.passthrough import Passthrough
from web.testing import ScriptedAssistant, Site, passage_of

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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, runtime_url: str) -> Iterator[Site]:
    """The platform with two policies in force, on a free port."""
    data = tmp_path_factory.mktemp("data")
    governance = GovernanceSettings(data)
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
    web = WebSettings(progress_interval_ms=200, max_upload_bytes=2_000_000)
    platform = Platform(
        settings=web,
        rag_settings=rag,
        assistant=ScriptedAssistant(),
        policies=PolicyStore(record, governance),
        jobs=JobStore(record),
        loader=loader,
        index=index,
        draw_page=lambda path, page, quotes: render_page(path, page, quotes, settings=limits).png,
        passthrough=Passthrough(web, rag),
    )
    vials, hands = load_policies(platform)
    with serve(create_app(platform)) as url:
        yield Site(url, platform, vials, hands)
    loader.close()
    index.close()
    record.close()


def load_policies(platform: Platform) -> tuple[str, str]:
    """Load a PDF and a Markdown policy, and let the assistant know their passages."""
    pharmacy = platform.policies.create_department("Pharmacy")
    fields = PolicyFields(
        title="Multi-dose vials",
        policy_number="PH-014",
        effective_from=date(2026, 3, 1),
        review_due=date(2026, 6, 12),
    )
    vials = platform.loader.submit("vials.pdf", pdf_of(VIALS), pharmacy, fields)
    hands = platform.loader.submit("hands.md", HANDS.encode(), pharmacy)
    wait_until_loaded(platform)
    hits = platform.index.search("Pharmacy", "vials", [1.0] + [0.0] * (DIMENSIONS - 1), 50)
    found = platform.policies.passages_in_force([hit.passage_id for hit in hits], "Pharmacy")
    assert isinstance(platform.assistant, ScriptedAssistant)
    platform.assistant.passages = [
        passage_of(one)
        for one in sorted(
            found.values(),
            key=lambda one: (one.file_name != "vials.pdf", one.page_from, one.section),
        )
    ]
    return vials.document_id, hands.document_id


@contextmanager
def serve(app: FastAPI) -> Iterator[str]:
    """The application under a real server, in a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    """A client that is no browser and follows nothing by itself."""
    with httpx.Client(base_url=site.url, timeout=30.0) as client:
        yield client


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Browser]:
    """The system's own Chromium; it starts after the site and ends with the module.

    While it runs, this thread has an event loop, with which neither DBOS nor asyncio.run starts.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


def is_fault(message: ConsoleMessage) -> bool:
    """Whether the browser complains about the page itself.

    An error status is only an answer, and a broken stream is what one test is about.
    """
    expected = ("Failed to load resource", "htmx: htmx:sse:error: network error")
    return message.type == "error" and not message.text.startswith(expected)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A fresh page; an error or a refused resource in it fails the test."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
    yield page
    context.close()
    assert not faults
