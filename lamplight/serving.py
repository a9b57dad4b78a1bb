"""Runs the two servers: the runtime on its port, the platform on its port and its socket."""

import ipaddress
import os
import socket
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from lamplight.errors import BadSetting
from lamplight.logs import configure_logs
from lamplight.settings import Settings
from lamplight.supervisor import stop_with_parent as watch_parent

# Answers under way get this long to finish once we are asked to stop.
DRAIN_S = 30
BACKLOG = 128
# What the kernel allows for the name of a Unix socket, with its closing zero.
MAX_SOCKET_PATH_BYTES = 107


def serve_runtime(settings: Settings, *, stop_with_parent: bool) -> None:
    """Serve models until a signal says stop. Raises BadSetting."""
    from runtime.api.app import create_app

    configure_logs()
    check_loopback("runtime.host", settings.runtime.host)
    listener = _listen(settings.runtime.host, settings.runtime.port)
    _run(create_app(settings.runtime), [listener], stop_with_parent=stop_with_parent)


def serve_platform(settings: Settings, *, socket_only: bool, stop_with_parent: bool) -> None:
    """Serve pages and API until a signal says stop; the data directory's lock must be held.

    Raises BadSetting.
    """
    from lamplight.platform import open_platform
    from web.app import create_app

    configure_logs()
    check_loopback("web.host", settings.web.host)
    with open_platform(settings) as platform:
        listeners = [listen_for_commands(settings.admin_socket)]
        if not socket_only:
            listeners.append(_listen(settings.web.host, settings.web.port))
        _run(create_app(platform), listeners, stop_with_parent=stop_with_parent)


def check_loopback(name: str, host: str) -> None:
    """Refuse an address that others can reach: there is no sign-in yet. Raises BadSetting."""
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise BadSetting(
        f"{name} cannot be {host}: without sign-in, anybody on the network could read everything.",
        "Use 127.0.0.1. Other addresses come with sign-in.",
    )


def _run(app: ASGIApp | FastAPI, listeners: list[socket.socket], *, stop_with_parent: bool) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=DRAIN_S,
        )
    )

    def stop() -> None:
        server.should_exit = True

    if stop_with_parent:
        watch_parent(stop)
    server.run(sockets=listeners)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
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
