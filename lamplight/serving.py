"""Runs the two servers: the runtime on its port, the platform on its port and its socket."""

import ipaddress
import os
import socket
import ssl
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from lamplight.errors import BadSetting
from lamplight.logs import configure_logs
from lamplight.settings import Settings
from lamplight.supervisor import stop_with_parent as watch_parent
from lamplight.tls import TlsServer, tls_of
from runtime.open_files import allow_connections

# Answers under way get this long to finish once we are asked to stop.
DRAIN_S = 30
BACKLOG = 128
# What the kernel allows for the name of a Unix socket, with its closing zero.
MAX_SOCKET_PATH_BYTES = 107


def serve_runtime(settings: Settings, *, stop_with_parent: bool) -> None:
    """Serve models until a signal says stop. Raises BadSetting."""
    from lamplight.gate import open_gate
    from lamplight.installing import model_store
    from runtime.api.app import create_app
    from runtime.engine import Engine

    configure_logs()
    check_address(
        "runtime", settings.runtime.host, tls=False, insecure=settings.runtime.insecure_plain_http
    )
    store = model_store(settings)
    with open_gate(settings) as gate:
        listener = _listen(settings.runtime.host, settings.runtime.port)
        engine = Engine(settings.runtime, store, on_quarantine=gate.record_quarantine)
        app = create_app(settings.runtime, store, gate, engine=engine)
        _run(app, [listener], stop_with_parent=stop_with_parent)


def serve_platform(settings: Settings, *, socket_only: bool, stop_with_parent: bool) -> None:
    """Serve pages and API until a signal says stop; the data directory's lock must be held.

    Raises BadSetting.
    """
    from lamplight.platform import open_platform
    from web.app import create_app
    from web.errors import BadGroupRoles, BadProviderSettings

    configure_logs()
    context = tls_of(settings.web)
    check_address(
        "web",
        settings.web.host,
        tls=context is not None,
        insecure=settings.web.insecure_plain_http,
    )
    with open_platform(settings) as platform:
        try:
            app = create_app(platform)
        except (BadProviderSettings, BadGroupRoles) as error:
            raise BadSetting(error.message, error.hint) from error
        commands = listen_for_commands(settings.admin_socket)
        pages = [] if socket_only else [_listen(settings.web.host, settings.web.port)]
        _run(
            app,
            [commands, *pages] if context is None else [commands],
            stop_with_parent=stop_with_parent,
            tls=None if context is None else (pages, context),
        )


def check_address(package: str, host: str, *, tls: bool, insecure: bool) -> None:
    """Refuse to speak in clear with other machines, unless told so. Raises BadSetting.

    insecure: the setting that says it is meant.
    """
    if is_loopback(host) or tls or (insecure and host):
        return
    certificate = "Set web.tls_certificate and web.tls_key, or use" if package == "web" else "Use"
    raise BadSetting(
        f"{package}.host cannot be {host!r}: without TLS, everybody on the way can read passwords, "
        "keys and answers.",
        f"{certificate} 127.0.0.1. Where something else encrypts, --insecure-plain-http "
        f"({package}.insecure_plain_http) allows it.",
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _run(
    app: ASGIApp | FastAPI,
    listeners: list[socket.socket],
    *,
    stop_with_parent: bool,
    tls: tuple[list[socket.socket], ssl.SSLContext] | None = None,
) -> None:
    allow_connections()
    config = uvicorn.Config(
        app,
        http=H11Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = uvicorn.Server(config) if tls is None else TlsServer(config, *tls)

    def stop() -> None:
        server.should_exit = True

    if stop_with_parent:
        watch_parent(stop)
    server.run(sockets=listeners)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With a protocol of 0 asyncio leaves Nagle on, and each answer waits some 40 ms for it.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener


def listen_for_commands(path: Path) -> socket.socket:
    """A socket that only the owner of the data directory can open."""
    if len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        raise BadSetting(
            f"The data directory's name is too long: {path} cannot be a socket.",
            "Choose a directory with a shorter name with --data.",
        )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    # Bound under a strict mask, so that there is no moment in which others could connect.
    old_mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(old_mask)
    listener.listen(BACKLOG)
    return listener
