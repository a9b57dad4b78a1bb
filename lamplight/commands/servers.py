"""`up` starts everything; `serve` and `web` are the processes that it starts."""

import signal
from typing import Annotated, Any

import typer

from lamplight.client import PlatformClient
from lamplight.commands.options import Data, notes
from lamplight.errors import PlatformRefused
from lamplight.installing import install
from lamplight.launch import ports, runtime_part, web_part
from lamplight.lock import DataLock
from lamplight.runtime_key import make_key
from lamplight.samples import load_samples
from lamplight.serving import serve_platform, serve_runtime
from lamplight.settings import Settings, child_environment, load_settings
from lamplight.supervisor import Supervisor, check_port
from lamplight.tuning import measure_at_start

HAS_ADMINISTRATOR = 409  # the status of an IllegalTransition
StopWithParent = Annotated[bool, typer.Option("--stop-with-parent", hidden=True)]
Insecure = Annotated[
    bool,
    typer.Option(
        "--insecure-plain-http",
        help="Serve other machines without encryption: whatever is sent can be read on the way.",
    ),
]


def up(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address of the pages.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the pages.")] = None,
    runtime_port: Annotated[int | None, typer.Option(help="Port of the model runtime.")] = None,
    samples: Annotated[bool, typer.Option(help="Load the sample policies at first start.")] = True,
    insecure: Insecure = False,
) -> None:
    """Start Lamplight: models, runtime and pages. Ctrl-C drains and stops."""
    overrides = {"web.host": host, "web.port": port, "runtime.port": runtime_port}
    overrides |= {"web.insecure_plain_http": insecure or None}
    settings = load_settings(data, overrides)
    with DataLock(settings.run_dir).take("up") as lock:
        check_port(settings.web.host, settings.web.port, "--port")
        check_port(settings.runtime.host, settings.runtime.port, "--runtime-port")
        _install_models(settings)
        measure_at_start(settings, notes)
        _run(settings, lock, samples=samples)


def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    stop_with_parent: StopWithParent = False,
    insecure: Insecure = False,
) -> None:
    """Serve models with Ollama's and OpenAI's interfaces."""
    overrides = {"runtime.host": host, "runtime.port": port}
    settings = load_settings(data, overrides | {"runtime.insecure_plain_http": insecure or None})
    check_port(settings.runtime.host, settings.runtime.port, "--port")
    serve_runtime(settings, stop_with_parent=stop_with_parent)


def web(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    lock_fd: Annotated[int, typer.Option(hidden=True)] = -1,
    socket_only: Annotated[bool, typer.Option("--socket-only", hidden=True)] = False,
    stop_with_parent: StopWithParent = False,
    insecure: Insecure = False,
) -> None:
    """Serve the pages and the platform's own interface; a runtime must run elsewhere."""
    overrides = {"web.host": host, "web.port": port}
    settings = load_settings(data, overrides | {"web.insecure_plain_http": insecure or None})
    lock = DataLock(settings.run_dir)
    with lock.adopt(lock_fd) if lock_fd >= 0 else lock.take("web"):
        if not socket_only:
            check_port(settings.web.host, settings.web.port, "--port")
        serve_platform(settings, socket_only=socket_only, stop_with_parent=stop_with_parent)


def worker(data: Data = None, stop_with_parent: StopWithParent = False) -> None:
    """Load files for web processes, with PostgreSQL and Qdrant; as many as you like."""
    from lamplight.worker import work

    settings = load_settings(data)
    work(settings, notes.print, stop_with_parent=stop_with_parent)


def page_address(settings: Settings) -> str:
    """Where a browser on this machine finds the pages."""
    scheme = "https" if settings.web.tls_certificate else "http"
    return f"{scheme}://{settings.web.host}:{settings.web.port}"


def _administrator_link(settings: Settings) -> str | None:
    """The path of the one-time link, as long as there is no administrator."""
    client = PlatformClient(settings.admin_socket)
    try:
        return str(client.post("/api/v1/administrator-link", {})["path"])
    except PlatformRefused as error:
        if error.status == HAS_ADMINISTRATOR:
            return None
        raise
    finally:
        client.close()


def _install_models(settings: Settings) -> None:
    for name in (settings.rag.embed_model, settings.rag.chat_model):
        install(settings, name, notes, only_if_missing=True)


def _run(settings: Settings, lock: DataLock, *, samples: bool) -> None:
    # The models of the assistant stay loaded: nobody should wait for them after a quiet hour.
    stay = {"runtime.keep_alive_s": -1.0}
    environment = child_environment(ports(settings) | stay)
    parts = [
        runtime_part(settings, environment),
        web_part(settings, environment, lock, listen=True),
    ]
    make_key(settings.runtime_key_path)
    supervisor = Supervisor(parts, lambda note: notes.print(note))

    def stop(_signal: int, _frame: Any) -> None:
        if supervisor.stopping:
            supervisor.kill()
            return
        notes.print("Stopping: answers under way are finished first. Ctrl-C again stops at once")
        supervisor.request_stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        notes.print("Starting the model runtime and the platform")
        supervisor.start()
        if not supervisor.stopping:
            if samples:
                load_samples(settings, lambda note: notes.print(note))
            address = page_address(settings)
            notes.print(f"\nLamplight is ready: {address}/")
            if link := _administrator_link(settings):
                notes.print("Open this link once, within 24 hours, to become its administrator:")
                notes.print(f"{address}{link}", soft_wrap=True)
            notes.print(f"Data: {settings.data_dir}. Stop with Ctrl-C.", style="dim")
        supervisor.watch()
    finally:
        supervisor.stop()
